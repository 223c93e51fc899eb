#pragma once
/* Who answers an exchange later: embedded in what works on the answer; the exchange's `user` points
 * to it. The edge passes on what the server says about the exchange. */
#include "common/base/span.h"

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
