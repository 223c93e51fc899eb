#pragma once
/* A connection to Redis, kept up: the one server, or the master that Sentinel names, checked with
 * ROLE. Commands are answered in order, each within its time; scripts are sent by their digest. A
 * connection that fails, in whatever way, is left for a new one with jittered back-off
 * (docs/design.md section 7). An idle connection is not looked after: whoever must know that it
 * stands sends something now and then. */
#include "common/net/loop.h"
#include "common/net/redis_answer.h"

struct redis;

/* What REDIS_URL says (redis_url.h); spans borrowed for the connection's life. */
struct redis_url;

struct redis_settings {
    const struct redis_url *url;
    int64_t timeout_ms; /* of connecting, and of every command */
};

enum { REDIS_UNDER_WAY_MAX = 10000 }; /* commands */

/* Called exactly once per command, never inside redis_command. `a` (borrowed until return) is NULL:
 * no answer came (the connection failed, ERR_IO; it took too long, ERR_TIMEOUT; there was none, or
 * REDIS_UNDER_WAY_MAX were under way, ERR_MISSING); whether it was obeyed is not known then, except
 * for ERR_MISSING: it was not sent. Errors that say that this server does
 * not serve (READONLY, LOADING, MASTERDOWN, NOREPLICAS, NOAUTH, CLUSTERDOWN) come as ERR_DENIED
 * with the error in `a`, and the connection is left for another. Other errors of Redis (MISCONF and
 * BUSY among them: another server would not do better): ERR_OK with a REDIS_ERROR. */
struct redis_call {
    void (*done)(void *ctx, enum err e, const struct redis_answer *a);
    void *ctx;
};
/* Why a command that did not end with ERR_OK came to nothing, for a person: what Redis says
 * (borrowed from `a`), or a static text. */
struct span redis_why(enum err e, const struct redis_answer *a);

struct redis_events {
    void *ctx;
    void (*up)(void *ctx);   /* a connection is ready */
    void (*down)(void *ctx); /* it is no more; behind the answers of its commands */
    /* NULL, or called for each answer that is an error, before its command ends. Borrowed. */
    void (*refused)(void *ctx, struct span why);
    /* None of them may free the struct redis. */
};

struct redis_stats {
    uint64_t up;                 /* gauge: 0 or 1 */
    uint64_t connects, failures; /* connections that stood; those that fell, and tries in vain */
    uint64_t commands, errors, timeouts;
    struct histogram latency; /* of commands, microseconds */
};

/* `settings` and `stats` are borrowed. Connects at once, and for ever. */
struct redis *redis_new(struct loop *l, const struct redis_settings *settings,
                        const struct redis_events *events, struct redis_stats *stats);
/* Commands under way are never answered. Not inside a callback of its own (asserted). */
void redis_free(struct redis *r);
bool redis_is_up(const struct redis *r);
/* Why no server was found when one was last looked for in vain, for a person, with the address;
 * empty: none was yet. Borrowed until the next turn. */
struct span redis_trouble(const struct redis *r);
/* Sends a command of `count` words (copied) at the end of the turn. */
void redis_command(struct redis *r, const struct span *words, size_t count,
                   const struct redis_call *call);

/* A Lua script: EVALSHA, and EVAL where the server does not know it (it says so when somebody has
 * emptied its cache, or after a change of servers). Such a script is obeyed behind whatever was on
 * the way to the server with it, but before all that is sent later. Static; `digest` is
 * redis_eval's, empty at first. */
struct redis_script {
    const char *text;
    char digest[41];
};
/* Runs it with `count` ARGV words (copied) and no KEYS: ours name their keys themselves, so they
 * need one server, not Redis Cluster. */
void redis_eval(struct redis *r, struct redis_script *script, const struct span *words,
                size_t count, const struct redis_call *call);
