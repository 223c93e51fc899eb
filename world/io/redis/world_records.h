#pragma once
/* All that Redis has of a world, as load.lua says it (docs/redis.md). */
#include "common/net/redis.h"
#include "world/core/port.h"

struct world_entry {
    int64_t seq; /* order of creation within its kind */
    struct record record;
};

/* Spans are borrowed from the answer; all zero: nothing is there. */
struct world_records {
    int64_t epoch, rev, clock_ms;
    struct world_entry *list; /* in the order of loading */
    size_t count;
};

/* Runs the script for a world; all borrowed until return. `script` has load_lua as its text. */
void world_records_ask(struct redis *redis, struct redis_script *script, struct span prefix,
                       struct span world, const struct redis_call *call);
/* Its answer. ERR_SYNTAX: something there is not ours, and `why` names it for a person. With
 * ERR_OK the caller frees it by world_records_clear. */
MUST_CHECK enum err world_records_read(struct world_records *out, struct span prefix,
                                       struct span world, const struct redis_answer *a,
                                       struct buf *why);
void world_records_clear(struct world_records *r);
