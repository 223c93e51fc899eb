#pragma once
/* The door of a node: what comes in over HTTP, and where it goes. */
#include "shard/io/doorman.h"
#include "shard/io/edge_client.h"
#include "shard/io/gatekeeper.h"
#include "shard/io/greeter.h"
#include "shard/io/join.h"
#include "shard/io/metrics.h"
#include "shard/io/pass.h"
#include "shard/io/room_proxy.h"
#include "shard/io/witness.h"
#include "shard/io/world_proxy.h"

struct edge {
    struct ticker *ticker;
    struct edge_clients *clients;
    const struct room_proxy *rooms;
    const struct world_proxy *worlds;
    struct arrivals *arrivals;
    struct passes *passes;
    const struct routes *routes;
    struct doorman *doorman;
    struct greeter *greeter;
    const struct addr_set *trusted;
    const struct span *allowed_origins; /* for allowed_origins_has */
    const struct secrets *secrets;
    struct metrics metrics;
    struct io_stats *stats;
    struct span version; /* what /version answers, JSON */
    struct gatekeeper gatekeeper;
    struct witness witness;
    struct buf scratch; /* of the request at hand */
    struct join join;
};

/* For arrivals, whose ctx is a struct edge. */
extern const struct arrival_ops edge_arrival_ops;
/* For http_server_new, whose ctx is a struct edge. */
extern const struct http_app edge_app;
/* For the doorman, whose ctx is a struct edge. */
void edge_admitted(void *ctx, struct http_exchange *x);
void edge_clear(struct edge *e);
