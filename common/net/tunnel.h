#pragma once
/* Upgraded connections to a world: after the head, bytes both ways, untouched. Whoever reads slowly
 * holds the other side back; both sides end together. */
#include "common/net/http_server.h"
#include "common/net/responder.h"
#include "common/proto/url.h"

struct tunnel_stats {
    uint64_t now; /* gauge */
    uint64_t opened, failures, bytes;
};

struct tunnels {
    struct list all;
    struct loop *loop;
    struct tunnel_stats *stats;
};
void tunnels_init(struct tunnels *all, struct loop *l, struct tunnel_stats *stats); /* borrowed */

/* Turns `x` into a tunnel to the first world that can be reached; 502 when none can. `next` names
 * them, NULL: none is left; its `ctx` is freed with free() at the end. `head` is a request head
 * without Host and the blank line (taken, becomes empty). */
void tunnel_start(struct tunnels *all, struct http_exchange *x, struct buf *head,
                  const struct url_origin *(*next)(void *ctx), void *ctx);
/* Closes all; they are gone when the loop has turned. */
void tunnels_abort(struct tunnels *all);
