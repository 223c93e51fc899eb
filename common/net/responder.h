#pragma once
/* Who answers an exchange later: embedded in what works on the answer; the exchange's `user` points
 * to it (NULL: nobody, it is answered). */
#include "common/net/http_server.h"

struct responder;

struct responder_ops {
    void (*body)(struct responder *r, struct span part);
    void (*complete)(struct responder *r);
    void (*drained)(struct responder *r);
    void (*gone)(struct responder *r);
};

struct responder {
    const struct responder_ops *ops;
};

/* For the table of a struct http_app: they pass on what the server says about the exchange. `ctx`
 * is not looked at. */
void responder_body(void *ctx, struct http_exchange *x, struct span part);
void responder_complete(void *ctx, struct http_exchange *x);
void responder_drained(void *ctx, struct http_exchange *x);
void responder_gone(void *ctx, struct http_exchange *x);
