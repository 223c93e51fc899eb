#pragma once
/* Inside of a tunnel: tunnel.c is its life and what its owner asks for, tunnel_approach.c how the
 * server that is tried becomes the other end. */
#include "common/net/http_wire.h"
#include "common/net/pipe.h"
#include "common/net/tunnel.h"
#include "common/proto/ws_handshake.h"

enum tunnel_state {
    TUNNEL_WAITING,   /* for its owner */
    TUNNEL_ASKING,    /* connecting, or the answer is awaited */
    TUNNEL_ANSWERING, /* another answer than 101 is on its way to the client */
    TUNNEL_OPEN,
    TUNNEL_GONE, /* the client is answered or gone; what is left of the dial follows */
};

/* What is needed until it is open. */
struct approach {
    struct responder responder;
    struct tunnel *tunnel;
    struct http_exchange *x; /* until it is open or answered; NULL: a late one */
    struct buf head;
    struct buf reason;
    struct url_origin origin; /* being tried; text and host are owned */
    struct http_wire wire;
    struct timer deadline; /* of the other side's next step */
    enum tunnel_failure why;
    const char *fault; /* of the last try; static */
    char *protocol;    /* owned; NULL: none */
    char key[WS_KEY_LEN];
    bool is_late;
};

struct tunnel {
    struct list node;
    struct tunnels *all;
    const struct tunnel_ops *ops;
    void *ctx;
    struct approach *way; /* NULL: it is open */
    enum tunnel_state state;
    enum tunnel_end end; /* GONE: how */
    struct pipe pipe;
};

/* ---- tunnel.c */
/* The only place that moves the state. */
void tunnel_go(struct tunnel *t, enum tunnel_state to);
/* The other side's next step is due, until it is open. */
void tunnel_expect_within(struct tunnel *t, int64_t ms);
void tunnel_expect_nothing(struct tunnel *t);
/* The exchange is on its own from here; NULL: there is none (any more). */
struct http_exchange *tunnel_let_go(struct tunnel *t);
/* Nobody waits for the dial any more: the tunnel is gone, at once or when the dial is. */
void tunnel_give_up(struct tunnel *t, enum tunnel_end how);
/* It is open: what was needed until then goes. */
void tunnel_approached(struct tunnel *t);
/* Frees it, and tells its owner. */
void tunnel_free(struct tunnel *t, enum tunnel_end how);

/* ---- tunnel_approach.c */
extern const struct http_wire_ops tunnel_wire_ops;    /* of approach.wire */
extern const struct responder_ops tunnel_request_ops; /* of approach.responder */
