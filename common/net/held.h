#pragma once
/* Exchanges that wait until it is known which node is to have them, and are then tried there: an
 * upgrade through a tunnel, another request through a forward. When a node does not serve, the
 * exchange waits again, and its owner says what is next (docs/protocol.md, "Any entry"). */
#include "common/net/forward.h"
#include "common/net/http_server.h"
#include "common/net/pools.h"
#include "common/net/responder.h"
#include "common/net/tunnel.h"
#include "common/proto/resolve.h"

struct held;

struct held_ops {
    /* Appends the request head for the next try, as hop_add_peer_request writes it. */
    void (*add_head)(struct held *h, struct buf *head);
    /* The node that was tried does not serve: this is what a world is to be told. Answer in here or
     * later, with held_try or held_take_back. */
    void (*failed)(struct held *h, enum resolve_reason why);
    /* Answered or gone; nobody knows h any more, and its owner frees it. */
    void (*over)(struct held *h);
};

/* What is shared by all that go the same ways. All borrowed. */
struct held_ways {
    struct tunnels *tunnels;
    struct forwards *forwards;
    struct pools *pools;
    const struct held_ops *ops;
    struct forward_kind to_node;
};
/* The first three members have been set. `target` is the index of the forwards' statistics; a node
 * that gives no answer to a request is answered for with `failed_headers`, whole lines. */
void held_ways_init(struct held_ways *w, const struct held_ops *ops, unsigned target,
                    struct span failed_headers);

/* Embedded in what belongs to its owner. */
struct held {
    struct responder responder;
    struct held_ways *ways;
    struct http_exchange *x; /* NULL: a tunnel has it */
    struct forward *forward; /* has it, too, if any */
    bool is_socket, has_body;
    bool body_complete; /* it has been read; before there is a forward only */
    const char *fault;  /* inside `failed`, with RESOLVE_UNREACHABLE: what was wrong, for people;
                           static */
};

/* Takes the exchange over; its body waits. */
void held_begin(struct held *h, struct held_ways *ways, struct http_exchange *x, bool is_socket);
/* Tries the node at `url`, after held_begin or `failed` only. Without an origin in it, or a
 * connection to spare, calls `failed` before it returns. */
void held_try(struct held *h, struct span url);
/* Gives the exchange back to be answered or passed on; h is its owner's to free, and `over` is not
 * called. As held_try. */
struct http_exchange *held_take_back(struct held *h);
/* Neither a tunnel nor a forward has it. */
static inline bool held_waits(const struct held *h)
{
    return h->x != NULL && h->forward == NULL;
}
