#pragma once
/* What one world of ours has to say to Redis, one commit at a time: changes behind a write_behind,
 * all of it anew when Redis does not have what it should. */
#include "world/io/batch.h"
#include "world/io/redis/world_commit.h"
#include "world/io/write_behind.h"

enum {
    WRITER_RETRY_MS = 1000,      /* after a failure without changes that wait */
    WRITER_CLOCK_LEAD_MS = 1000, /* ids of this time may be out before the next commit */
};

/* What all writers have in common; all borrowed. */
struct writers {
    struct loop *loop;
    struct core *core;
    struct redis *redis;
    struct redis_script script;
    struct span prefix, id;
    int64_t wait_replicas, wait_ms;
    int64_t patience_ms; /* of those who wait for a commit */
    bool held;           /* nothing is sent: what is wanted is noted */
    struct store_stats *stats;
    uint64_t failing;  /* of them */
    struct list calls; /* struct writer_call.node: those under way */
    void *ctx;
    void (*closed)(void *ctx, struct span world);
    void (*lost)(void *ctx, struct span world);
};

struct writer_call;

struct world_writer {
    struct writers *all;
    struct span world; /* owned */
    int64_t epoch;     /* of the lease */
    int64_t low, high; /* how many commits Redis may have */
    struct write_behind behind;
    const struct batch *flight; /* what `behind` waits for */
    bool look;                  /* whether Redis has what it should is not known */
    bool rewrite;               /* it has not */
    bool gathering;             /* puts are for `whole` */
    struct batch whole;         /* all of the world, on its way */
    struct writer_call *call;
    struct timer retry;
    bool closing, gave_up;
    struct turn_end end;
    uint64_t pending; /* its part of the stats */
    bool failing;
};

void writers_init(struct writers *all);
/* Redis has been freed. */
void writers_clear(struct writers *all);

struct world_writer *world_writer_new(struct writers *all, struct span world, int64_t epoch,
                                      int64_t rev);
/* Forgets what waits. `told`: who waits for it is told ERR_DENIED, as the last thing. */
void world_writer_free(struct world_writer *w, bool told);
void world_writer_put(struct world_writer *w, const struct record *record);
void world_writer_remove(struct world_writer *w, enum record_kind kind, struct span key);
void world_writer_sync(struct world_writer *w, uint64_t token);
/* It goes on under that epoch, and is written anew. */
void world_writer_raise(struct world_writer *w, int64_t epoch);
/* Makes sure that Redis has what it should. */
void world_writer_look(struct world_writer *w);
/* Nobody can say now whose the lease is: what waits for that has failed, and is tried again. */
void world_writer_refuse(struct world_writer *w);
/* Writes what waits, then calls `closed`, never inside; also when it cannot be written. */
void world_writer_close(struct world_writer *w);
