#pragma once
/* A connection to Redis, kept up: the one server, or the master that Sentinel names, checked with
 * ROLE. Commands are answered in order, each within its time; scripts are sent by their digest. A
 * connection that fails, in whatever way, is left for a new one with jittered back-off
 * (docs/design.md section 7). The only user of hiredis. */
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/net/loop.h"

struct redis;

/* What REDIS_URL says (redis_url.h); spans borrowed for the connection's life. */
struct redis_url;

struct redis_settings {
    const struct redis_url *url;
    int64_t timeout_ms; /* of connecting, and of every command */
};

/* An answer, borrowed until return. */
enum redis_type { REDIS_NIL, REDIS_INTEGER, REDIS_TEXT, REDIS_ERROR, REDIS_LIST };
struct redis_answer {
    enum redis_type type;
    int64_t integer;
    struct span text; /* of TEXT (a status, too) and ERROR */
    size_t count;     /* of LIST */
    const void *list; /* redis_item's */
};
/* The i-th of a LIST. */
struct redis_answer redis_item(const struct redis_answer *list, size_t i);

/* Called exactly once per command, never inside redis_command. `a` is NULL: no answer came (the
 * connection failed, ERR_IO; it took too long, ERR_TIMEOUT; there was none, ERR_MISSING); whether
 * it was obeyed is not known then, except for ERR_MISSING. Errors that say that this server does
 * not serve (READONLY, LOADING, MASTERDOWN, NOREPLICAS, NOAUTH, CLUSTERDOWN) come as ERR_DENIED
 * with the error in `a`, and the connection is left for another. Other errors of Redis: ERR_OK with
 * a REDIS_ERROR. */
struct redis_call {
    void (*done)(void *ctx, enum err e, const struct redis_answer *a);
    void *ctx;
};

struct redis_events {
    void *ctx;
    void (*up)(void *ctx);   /* a connection is ready */
    void (*down)(void *ctx); /* it is no more; behind the answers of its commands */
};

struct redis_stats {
    uint64_t up; /* gauge: 0 or 1 */
    uint64_t connects, failures, commands, errors, timeouts;
    struct histogram latency; /* of commands, microseconds */
};

/* `settings` and `stats` are borrowed. Connects at once, and for ever. */
struct redis *redis_new(struct loop *l, const struct redis_settings *settings,
                        const struct redis_events *events, struct redis_stats *stats);
/* Commands under way are never answered. */
void redis_free(struct redis *r);
bool redis_is_up(const struct redis *r);
/* Sends a command of `count` words (copied). */
void redis_command(struct redis *r, const struct span *words, size_t count,
                   const struct redis_call *call);

/* A Lua script: EVALSHA, and EVAL where the server does not know it. Static; `digest` is
 * redis_eval's. */
struct redis_script {
    const char *text;
    char digest[41];
};
/* Runs it with `count` ARGV words (copied) and no KEYS: ours name their keys themselves, so they
 * need one server, not Redis Cluster. */
void redis_eval(struct redis *r, struct redis_script *script, const struct span *words,
                size_t count, const struct redis_call *call);
