#pragma once
/* Upgraded connections to a world: after the head, bytes both ways, untouched. Whoever reads slowly
 * holds the other side back; both sides end together. */
#include "common/net/http_server.h"
#include "shard/io/io_stats.h"
#include "shard/io/responder.h"
#include "shard/io/worlds.h"

struct tunnels {
    struct list all;
    struct loop *loop;
    struct io_stats *stats;
};
void tunnels_init(struct tunnels *all, struct loop *l, struct io_stats *stats);

/* Turns `x` into a tunnel to the first world that can be reached; 502 when none can. `head` is a
 * request head without Host and the blank line (taken, becomes empty). */
void tunnel_start(struct tunnels *all, struct http_exchange *x, struct worlds *worlds,
                  struct buf *head);
/* Closes all; they are gone when the loop has turned. */
void tunnels_abort(struct tunnels *all);
