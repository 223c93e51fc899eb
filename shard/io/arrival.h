#pragma once
/* Clients and requests on their way in (docs/design.md section 5.1, "Any entry"): kept while a
 * world is asked where they belong and while its owner is tried, at most PLACE_HOLD_MS; then they
 * are served here, go through to the owner, or are refused. Core decides (shard/core/place.h). */
#include "common/net/held.h"
#include "shard/core/place.h"
#include "shard/io/gate.h"
#include "shard/io/io_stats.h"
#include "shard/io/questions.h"
#include "shard/io/route.h"
#include "shard/io/sender.h"

/* Nobody waits longer for another node: it is taken for dead then, and the world is told. */
enum { ARRIVAL_CONNECT_MS = 1000, ARRIVAL_ANSWER_MS = 2000 };

struct pass_late;

/* Somebody who is to be served here. */
struct arrived {
    struct http_exchange *x;
    const struct http_head *head; /* of x, or what of it goes further */
    const struct route *route;    /* with the shard that lets it in */
    const struct sender *from;
    struct shown *shown;
    bool is_socket;
    enum told told;         /* by its world */
    struct pass_late *late; /* its client is upgraded already (pass.h); NULL: it is not */
    /* Requests that were held: its body has been read; and what has the exchange already, if not
     * NULL (forward_turn). */
    bool body_complete;
    struct forward *forward;
};

struct arrival_ops {
    /* Borrowed until return. */
    void (*here)(void *ctx, const struct arrived *a);
    /* What to answer to a refused one: the status, whole lines in *headers; the body is appended.
     */
    int (*refusal)(void *ctx, enum node_reason why, struct span shard_id, struct span *headers,
                   struct buf *body);
};

struct arrivals {
    struct ticker *ticker;
    struct questions *questions;
    struct held_ways ways; /* to other nodes; the rest of it is arrivals_init's */
    const struct node_settings *node;
    const struct routes *routes;
    const struct secrets *secrets;
    const struct arrival_ops *ops;
    void *ctx;
    struct arrival_stats *stats;
    struct list all;
    struct buf session; /* scratch */
};
/* The members up to `stats` have been set; all are borrowed. */
void arrivals_init(struct arrivals *all);
/* Takes over an upgrade whose handshake has been checked (`is_socket`), or another request. What it
 * has shown is handed on if it must wait. */
void arrivals_take(struct arrivals *all, struct http_exchange *x, const struct route *r,
                   bool is_socket, const struct sender *from, struct shown *shown);
/* Drops all that wait, without answers; tunnels_abort and forwards_clear drop the others. */
void arrivals_clear(struct arrivals *all);
