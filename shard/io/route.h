#pragma once
/* What a request target asks a node for. Pure. */
#include "common/proto/routes.h"

enum route_kind {
    ROUTE_NONE,   /* 404 */
    ROUTE_BAD,    /* 400: not a target, a bad escape, or a room that no path can name */
    ROUTE_SHARD,  /* a rule with {shard}, mode mux or pass */
    ROUTE_SERVER, /* one of mode pass without: straight to a server */
    ROUTE_WORLD,
    ROUTE_LIVEZ,
    ROUTE_READYZ,
    ROUTE_METRICS,
    ROUTE_VERSION,
    ROUTE_BEAT, /* a world knocks */
};

struct route {
    enum route_kind kind;
    struct span path;  /* as sent, without authority and fragment */
    struct span query; /* raw, or {NULL, 0} */
    struct span world; /* BEAT: decoded */

    /* SHARD, SERVER; the paths are raw. */
    const struct route_rule *rule;
    struct span resolved;  /* the path without dot segments */
    struct span room;      /* `{room}`, decoded; empty: not in the pattern */
    struct span shard_id;  /* SHARD: decoded */
    struct span shard_raw; /* SHARD: as it stands in `resolved` */
    struct span rest;      /* what `*` stands for: empty or with its slash */
};

/* Spans point into `target` or `scratch`, which must stay as they are while the route is used. */
struct route route_of(const struct routes *routes, struct span target, struct buf *scratch);
/* Appends the path with another shard in the place of its own, and makes that one the route's;
 * `path` and `shard_id` must stay as they are, too. */
void route_turn(struct route *r, struct buf *path, struct span shard_id);
