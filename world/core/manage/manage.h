#pragma once
/* The management API (docs/protocol.md, "Management API"; docs/design.md sections 5.1 and 6): a
 * table of routes below /api/v1, one verb each. Open to tokens alone; the shard secret counts for
 * nothing here. */
#include "world/core/api/call.h"

enum {
    MANAGE_ARGS = 2,
    MANAGE_EXPORT_VERSION = 1,
    MANAGE_FORCE_MS = 10 * 1000,            /* the deadline of a drain by ?force=1 */
    MANAGE_TIME_MAX = 7 * 24 * 3600 * 1000, /* of times in bodies, ms */
    MANAGE_RATE_MAX = 1000 * 1000,          /* of rates in bodies, a second */
    MANAGE_COUNT_MAX = 1000,                /* of things made by one request */
};

/* A request under way. */
struct manage {
    struct call *call;
    struct token token;
    struct world *world;           /* NULL: nothing was ever made in it */
    struct span args[MANAGE_ARGS]; /* the path's segments in braces, decoded, in order */
    struct span query;             /* raw */
};

/* True when the path is below /api/v1. */
bool manage_wants(struct span path);
/* The world that such a path names, as api_world (api.h) says it. */
MUST_CHECK enum err manage_world(struct span path, struct buf *scratch, struct span *world);
/* Answers through the reply port. The order of checks: route, method, token, scope, world, owner,
 * then the verb's own: query, body, things named. */
void manage_handle(struct call *call);

/* ---- for verbs */

/* Query parameters. False: a value is there and cannot be used, and the request has been answered.
 * What is absent keeps what *out has. */
bool manage_query_count(struct manage *m, const char *name, uint64_t min, uint64_t max,
                        uint64_t *out);
/* `1` or `0`. */
bool manage_query_flag(struct manage *m, const char *name, bool *out);
/* Decoded into `out`, which is emptied first; false: there is none. */
bool manage_query_text(struct manage *m, const char *name, struct buf *out);

/* The room or shard that a segment names; NULL: there is none, and the request has been answered.
 */
struct room *manage_room(struct manage *m, struct span name);
struct shard *manage_shard(struct manage *m, struct span id);
/* The world, made if need be. */
struct world *manage_make_world(struct manage *m);
