#pragma once
/* What a request target asks a node for. Pure. */
#include "common/proto/url.h"

enum route_kind {
    ROUTE_NONE, /* 404 */
    ROUTE_BAD,  /* 400: not a target, a bad escape, or a room that no path can name */
    ROUTE_SHARD,
    ROUTE_WORLD,
    ROUTE_LIVEZ,
    ROUTE_READYZ,
    ROUTE_METRICS,
    ROUTE_VERSION,
    ROUTE_BEAT, /* a world knocks */
};

struct route {
    enum route_kind kind;
    struct span path;     /* as sent, without authority and fragment */
    struct span query;    /* raw, or {NULL, 0} */
    struct span shard_id; /* SHARD: decoded */
    struct span world;    /* BEAT: decoded */
    struct span rest;     /* SHARD: what stands behind the id, raw, dot segments resolved: empty or
                             with its slash */
};

/* Spans point into `target` or `scratch`, which must stay as they are while the route is used. */
struct route route_of(struct span target, struct buf *scratch);
/* Appends `/parties/shard/{shardId}{rest}` of a SHARD route, raw: the path as it was sent, unless
 * dot segments had to be resolved. */
void route_add_nested(struct buf *out, const struct route *r);
