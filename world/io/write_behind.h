#pragma once
/* When changes are written: once at the end of a turn and at most every WRITE_BEHIND_GAP_MS, all
 * that has come since, in one commit. When a commit fails, what it held waits with what comes
 * after it, and is tried again with back-off (docs/design.md section 7). */
#include "common/base/backoff.h"
#include "common/net/loop.h"
#include "world/core/core.h"
#include "world/io/batch.h"

enum {
    WRITE_BEHIND_GAP_MS = 10,
    WRITE_BEHIND_RETRY_MIN_MS = 100,
    WRITE_BEHIND_RETRY_MAX_MS = 5000,
};

struct store_stats {
    uint64_t commits, errors;
    uint64_t pending;        /* records that wait for a commit */
    uint64_t failing;        /* 1: the last commit failed */
    struct histogram commit; /* how long commits took, failed ones too */
};

/* What is written to. */
struct write_target {
    void *ctx;
    /* Makes all of the batch durable, or nothing of it: ERR_IO (logged). */
    enum err (*commit)(void *ctx, const struct batch *batch);
};

struct write_behind {
    struct loop *loop;
    struct core *core;
    struct write_target target;
    struct batch batch;
    struct turn_end end;
    struct timer timer; /* set while changes wait for next_ms */
    int64_t next_ms;    /* no commit before */
    struct backoff backoff;
    struct rng rng;
    uint64_t *tokens; /* syncs that wait */
    size_t count, cap;
    struct store_stats stats;
};

/* `l` and `core` are borrowed. */
void write_behind_init(struct write_behind *w, struct loop *l, struct core *core,
                       const struct write_target *target);
/* A store_port whose context is the write_behind. Without anything to write a sync completes at
 * the end of the turn; while commits fail, with ERR_IO. */
struct store_port write_behind_port(struct write_behind *w);
/* Commits what waits now, whatever the time. ERR_IO: it still waits. */
MUST_CHECK enum err write_behind_flush(struct write_behind *w);
/* Forgets what waits. */
void write_behind_clear(struct write_behind *w);
