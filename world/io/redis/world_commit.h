#pragma once
/* One run of commit.lua: its words, and what it says (docs/redis.md, "Writing"). */
#include "common/net/redis.h"
#include "world/io/batch.h"

struct world_commit {
    struct span prefix, world;
    struct span id;            /* of the process that holds the lease, */
    int64_t epoch;             /* and the lease's epoch */
    int64_t low, high;         /* how many commits the world may have had */
    int64_t clock_ms;          /* shard ids up to this wall time may have been given out */
    bool clear;                /* whatever is there goes first */
    const struct batch *batch; /* NULL: nothing, only a look */
};

enum world_commit_said {
    COMMIT_OK,   /* `rev`: how many commits it has had now */
    COMMIT_LOST, /* the lease is another's, or nobody's */
    COMMIT_GAP,  /* it had `rev` commits, which is none of those expected */
    COMMIT_BAD,  /* `why`, for a person, borrowed from the answer */
};
struct world_commit_answer {
    enum world_commit_said said;
    int64_t rev;
    struct span why;
};

/* All borrowed until return. `script` has commit_lua as its text. */
void world_commit_send(struct redis *redis, struct redis_script *script,
                       const struct world_commit *c, const struct redis_call *call);
/* Anything that the script would not say is COMMIT_BAD. */
struct world_commit_answer world_commit_read(const struct redis_answer *a);
