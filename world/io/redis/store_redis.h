#pragma once
/* The records of worlds in Redis: loaded when a world is taken, written behind while it is ours,
 * every write fenced by the epoch of its lease (docs/design.md section 7). */
#include "common/net/redis.h"
#include "world/core/core.h"
#include "world/io/write_behind.h"

struct store_redis;

struct store_redis_settings {
    struct span prefix;    /* of keys */
    struct span id;        /* of this process, as in its leases */
    int64_t wait_replicas; /* that must have a commit before it counts as durable; 0: none */
    int64_t timeout_ms;    /* of a command; they are waited for half as long */
    int64_t patience_ms;   /* so long a sync outlasts commits that fail */
};

struct store_redis_events {
    void *ctx;
    /* Completes store_redis_load, as leases_loaded wants it. */
    void (*loaded)(void *ctx, struct span world, enum err e, struct span why);
    /* Completes store_redis_close. */
    void (*closed)(void *ctx, struct span world);
    /* A commit was refused, the lease is not ours: store_redis_raise or store_redis_drop follows,
     * or is called in here; until then what waits is tried again. */
    void (*lost)(void *ctx, struct span world);
};

/* All borrowed, the spans of `settings` for its life. */
struct store_redis *store_redis_new(struct loop *l, struct core *core, struct redis *redis,
                                    const struct store_redis_settings *settings,
                                    const struct store_redis_events *events,
                                    struct store_stats *stats);
/* Not before redis_free. */
void store_redis_free(struct store_redis *s);
/* Of worlds that are ours; changes to others are a bug of the caller. */
struct store_port store_redis_port(struct store_redis *s);
/* Reads all records of the world in one go and hands them to core (core_take_world, then
 * core_restore); ERR_SYNTAX, with the key and what is wrong with it: core has dropped it again. */
void store_redis_load(struct store_redis *s, struct span world, int64_t epoch);
/* Goes on under that epoch: everything is written anew (core_put_world). */
void store_redis_raise(struct store_redis *s, struct span world, int64_t epoch);
/* Has the counts stored and writes what waits. Also completes when it could not be written. */
void store_redis_close(struct store_redis *s, struct span world);
/* Forgets the world and what waits of it; whoever waits is told ERR_DENIED. */
void store_redis_drop(struct store_redis *s, struct span world);
/* Nothing is written from now on: a connection stands again, and leases are asked for over it
 * first. A commit that came before them would find that they have run out. */
void store_redis_hold(struct store_redis *s);
/* Redis could not be asked who has the leases: changes that wait for that have failed
 * for now, and whoever waits for them has the patience of the settings. */
void store_redis_refuse(struct store_redis *s);
/* Whoever has the leases is known: what was written last is checked to be there, else all is
 * written; and nothing is held any more. */
void store_redis_up(struct store_redis *s);
