#pragma once
/* Which process decides for a world: the leases of Redis as this process sees them (docs/design.md
 * section 7). Decides when to ask for them, when a world is taken, and when this process cannot be
 * sure any more; what it decides goes out through the port. A lease per world that was asked for
 * lately, or is ours. */
#include "common/base/list.h"
#include "common/base/map.h"
#include "common/base/rng.h"
#include "world/core/moment.h"
#include "world/core/port.h"

enum {
    LEASES_TRY_MS = 100,        /* how often a world without an owner is tried for */
    LEASES_ASK_PEERS_MS = 400,  /* how often peers are asked while Redis is away */
    LEASES_EARLY_MS = 1200,     /* so long before a lease ends the asking begins */
    LEASES_PEERS_MS = 1000,     /* so long what they said counts, from the asking */
    LEASES_WANTED_MS = 10000,   /* so long after it was asked for a world is worth taking */
    LEASES_GRACE_MS = 500,      /* beyond that, no foreign lease is taken by who said "away", nor so
                                   soon after Redis is back */
    LEASES_BACK_MS = 3000,      /* so long after Redis is back who lives has surely found it */
    LEASES_BROKEN_MS = 5000,    /* until a world that could not be read is tried again */
    LEASES_IDLE_MS = 60 * 1000, /* without being asked for, somebody else's world is forgotten */
    LEASES_MAX = 10000,         /* worlds */
};

/* ---- what Redis is asked and says, per world (world/io/redis/tend) */

/* Calls of a process are numbered, and one that comes after a later one is refused as a whole.
 * `stored` is what the world's meta has as its epoch (0: none); `held` the epoch of its lease when
 * the lease is this process's. Another's lease is LEASE_IS_OTHERS in every case, else:
 * KEEP: stored > epoch, and not held >= stored: somebody else was owner since. What is held is
 *       deleted; LEASE_IS_FREE with epoch = stored.
 *       held >= epoch and held >= above: the lease is prolonged, LEASE_IS_OURS with epoch = held.
 *       Else the lease is set under a new epoch.
 * WANT: held > above: prolonged, LEASE_IS_OURS with epoch = held (an answer was lost). Else set
 *       under a new epoch.
 * FREE: what is held is deleted, whatever its epoch; LEASE_IS_FREE. It also serves to look.
 * A new epoch is above all of stored, held, `epoch` and `above`, and not below Redis' time in ms;
 * it is written to the meta, too, if there is one. */
enum lease_op { LEASE_KEEP, LEASE_WANT, LEASE_FREE };
struct lease_wish {
    struct span world;
    enum lease_op op;
    int64_t epoch; /* KEEP: ours; else 0 */
    int64_t above; /* KEEP, WANT: the highest epoch seen */
};

enum lease_said { LEASE_IS_OURS, LEASE_IS_OTHERS, LEASE_IS_FREE, LEASE_IS_BAD };
struct lease_news {
    struct span world;
    enum lease_said said;
    int64_t epoch;       /* OURS, OTHERS; FREE: the one stored, or 0 */
    int64_t left_ms;     /* OTHERS: until it ends */
    struct span id, url; /* OTHERS: of the process */
    struct span why;     /* BAD: for a person */
};
struct lease_peer {
    struct span id, url;
};

/* ---- what peers tell each other (GET /terrane/peer) */

/* Whether Redis answers a process, and how long ago it did so last (or the process began). */
struct lease_reach {
    bool reaches;
    int64_t ago_ms;
};
/* What those who were asked said; who did not answer is in neither count. */
struct lease_answers {
    size_t reach, away;
    int64_t ago_ms;  /* the shortest of all answers */
    struct span url; /* of one that reaches Redis, if there is one */
};

/* ---- the port */

struct lease_port {
    void *ctx;
    /* Monotonic ms, read now. */
    int64_t (*clock)(void *ctx);
    /* Sends the wishes, one call at a time; completes with leases_tended or leases_tend_failed,
     * never inside. */
    void (*tend)(void *ctx, const struct lease_wish *wishes, size_t count);
    /* Asks those peers whether they reach Redis; completes with leases_peers_said within
     * LEASES_ASK_PEERS_MS, whoever has answered by then, never inside. */
    void (*ask_peers)(void *ctx, const struct lease_peer *peers, size_t count);
    /* The lease is ours: loads the world into core; completes with leases_loaded, never inside. */
    void (*load)(void *ctx, struct span world, int64_t epoch);
    /* Ours goes on under a higher epoch, its records are to be written anew under it. */
    void (*raise)(void *ctx, struct span world, int64_t epoch);
    /* Nobody decides for the world any more here; writes what waits, and completes with
     * leases_closed, never inside. */
    void (*close)(void *ctx, struct span world);
    /* Another may decide for the world: forget all of it, now. After `close`, too, which it ends:
     * leases_closed need not follow. */
    void (*drop)(void *ctx, struct span world);
    /* Where the world is has changed: whoever waits for it looks again. Never inside a call of
     * leases_find. */
    void (*moved)(void *ctx, struct span world);
    /* Calls leases_tick at that monotonic time at the latest. */
    void (*wake)(void *ctx, int64_t due_ms);
};

struct lease_settings {
    int64_t ttl_ms;
    struct span id, url; /* of this process */
};

struct lease_stats {
    uint64_t ours, others, sought, broken; /* gauges */
    uint64_t taken, lost, stepped_down, outdated, extended;
};

struct leases; /* leases.c's; made by leases_new */

/* All borrowed for its life. */
struct leases *leases_new(const struct lease_port *port, const struct lease_settings *settings,
                          const struct rng *rng, int64_t now);
void leases_free(struct leases *l);
const struct lease_stats *leases_stats(const struct leases *l);
/* The i-th of the peers there are, as Redis said last; false: there are no more. */
bool leases_peer(const struct leases *l, size_t i, struct span *id, struct span *url);
void leases_tick(struct leases *l, int64_t now);

/* ---- what others ask */

/* Who decides for the world, by the clock of this moment. Asking for a world that is not known has
 * it sought: OWNER_SOUGHT until `moved`. */
enum owner leases_find(struct leases *l, struct span world);

struct lease_place {
    enum owner owner;
    struct span url; /* where to pass a request on to; empty: nowhere yet. Borrowed until the next
                        call. With OWNER_SOUGHT it is a guess: while Redis is away the last known
                        owner, or a peer that reaches Redis; while this process ends any peer */
    int64_t epoch;   /* the highest seen; an answer of a lower one is not to be believed */
    struct span why; /* OWNER_BROKEN: for a person */
    bool leaving;    /* this process ends, and never takes the world again */
};
struct lease_place leases_place(struct leases *l, struct span world);
/* The place did not serve: Redis is asked at once, and every LEASES_TRY_MS until it tells news. */
void leases_doubt(struct leases *l, struct span world);
/* Another process takes this one for the owner, which it was, or has it take the world: Redis is
 * asked at once. */
void leases_look(struct leases *l, struct span world);
/* Somebody has seen that epoch of the world. Higher than ours: another was owner since; we are not
 * sure any more, seek the lease anew above it, and keep what we have only if Redis still says that
 * it is ours. Never drops a world inside the call. */
void leases_saw(struct leases *l, struct span world, int64_t epoch);
/* The world of ours has nothing to remember and nobody asks: its lease may go. */
void leases_idle(struct leases *l, struct span world);
/* The process ends: all of ours are closed and freed. */
void leases_release(struct leases *l);
/* Nothing is ours, closing or under way. */
bool leases_are_released(const struct leases *l);
/* What a peer that asks is told. That Redis does not answer is remembered (LEASES_GRACE_MS). */
struct lease_reach leases_tell_peer(struct leases *l);

/* ---- what the port's calls complete with */

/* `news` are in the order of the wishes, `peers` the other processes there are. `sent_ms`:
 * monotonic, when it was sent. */
void leases_tended(struct leases *l, const struct lease_news *news, size_t count,
                   const struct lease_peer *peers, size_t peer_count, int64_t sent_ms, int64_t now);
/* Redis did not answer, or not as it should. */
void leases_tend_failed(struct leases *l, int64_t now);
/* There is a connection to Redis again. */
void leases_redis_up(struct leases *l, int64_t now);
/* ERR_OK: core has the world. Else it cannot be read, and `why` says it for a person; ERR_IO:
 * Redis did not answer, `load` is called again. A world whose lease has gone meanwhile is
 * dropped. */
void leases_loaded(struct leases *l, struct span world, enum err e, struct span why, int64_t now);
void leases_closed(struct leases *l, struct span world, int64_t now);
/* A write was refused because the lease is not ours: we are not sure any more, and Redis is asked
 * at once. (Not when the lease had ended while Redis was away: that is no news.) What waits to be
 * written stays: `raise` or `drop` follows. */
void leases_lost(struct leases *l, struct span world, int64_t now);
/* Of those asked at `asked_ms`. */
void leases_peers_said(struct leases *l, const struct lease_answers *said, int64_t asked_ms,
                       int64_t now);
