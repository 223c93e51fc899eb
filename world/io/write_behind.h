#pragma once
/* When changes are written: once at the end of a turn and at most every WRITE_BEHIND_GAP_MS, all
 * that has come since, in one commit. When a commit fails, what it held waits with what comes
 * after it, and is tried again with back-off (docs/design.md section 7). A commit may take its
 * time; then what comes meanwhile waits for the next. */
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
    /* Makes all of the batch durable, or nothing of it: ERR_IO (logged). ERR_AGAIN: it is under
     * way, and write_behind_done follows, never inside; the batch is valid until then. ERR_DENIED:
     * what it is about is another's by now, and nothing of it is tried again. */
    enum err (*commit)(void *ctx, const struct batch *batch);
    /* So long a sync outlasts commits that fail; 0: it ends with the first. */
    int64_t patience_ms;
};

/* Syncs that wait, the oldest first. */
struct write_token {
    uint64_t token;
    int64_t due_ms; /* the end of its patience */
};
struct write_tokens {
    struct write_token *list;
    size_t count, cap;
};

struct write_behind {
    struct loop *loop;
    struct core *core;
    struct write_target target;
    struct batch batch;         /* waits */
    struct write_tokens tokens; /* wait for it */
    struct batch flight;        /* the commit that is under way, */
    struct write_tokens flying; /* and who waits for it */
    bool busy;                  /* there is one */
    int64_t began_us;           /* when it began */
    struct turn_end end;
    struct timer timer;      /* set while changes wait for next_ms */
    struct timer impatience; /* set while syncs outlast commits that fail */
    int64_t next_ms;         /* no commit before */
    struct backoff backoff;
    struct rng rng;
    struct store_stats stats;
};

/* `l` and `core` are borrowed. */
void write_behind_init(struct write_behind *w, struct loop *l, struct core *core,
                       const struct write_target *target);
/* A store_port whose context is the write_behind, whatever the world. Without anything to write a
 * sync completes at the end of the turn; while commits fail, with ERR_IO at the end of its
 * patience. */
struct store_port write_behind_port(struct write_behind *w);
/* Commits what waits now, whatever the time. ERR_IO: it still waits; ERR_AGAIN: a commit is under
 * way, and what it does not hold waits for the next; ERR_DENIED: it is forgotten. */
MUST_CHECK enum err write_behind_flush(struct write_behind *w);
/* The commit that was under way has ended: ERR_OK, ERR_IO or ERR_DENIED. */
void write_behind_done(struct write_behind *w, enum err e);
/* What is written to is there again: what failed is tried at once. */
void write_behind_retry(struct write_behind *w);
/* All that was asked for is durable. */
static inline bool write_behind_is_idle(const struct write_behind *w)
{
    return !w->busy && batch_count(&w->batch) == 0;
}
/* Forgets what waits and what is under way, whose end need not be told any more; who waits for it
 * is told `e`, as the last thing that is done. */
void write_behind_drop(struct write_behind *w, enum err e);
/* Forgets what waits; nobody is told. */
void write_behind_clear(struct write_behind *w);
