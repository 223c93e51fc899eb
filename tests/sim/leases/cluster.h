#pragma once
/* A simulated cluster of processes that share leases: three real `struct leases`, a model of Redis,
 * and what lies between them, under one clock; a seed decides all of it (tests/sim/README.md). */
#include "common/base/err.h"
#include "common/base/rng.h"
#include "tests/sim/agenda.h"
#include "tests/sim/leases/redis.h"
#include "world/core/leases/leases_state.h"

enum {
    TRACE_LINES = 120,
    TRACE_WIDTH = 160,
    CHAOS_MS = 60000, /* of a run */
    CALM_MS = 20000,  /* behind it: then all must be well */
    REDIS_TIMEOUT_MS = 500,
    PEER_TIMEOUT_MS = 300,
};

/* What --off takes away, all of it outside of the program but GRACE, which the linker takes. */
enum off {
    OFF_DEADLINE, /* leases count from the answer */
    OFF_GRACE,    /* who said "away" takes what it finds */
    OFF_EPOCH,    /* a new epoch is only Redis' time */
    OFF_AGO,      /* peers do not say how long Redis has been away */
    OFF_STORED,   /* KEEP takes what others had meanwhile */
    OFF_LATE,     /* calls that come late count */
    OFF_COUNT,
};
extern const char *const off_names[OFF_COUNT];
extern bool off[OFF_COUNT];

/* An answer to "do you reach Redis?". */
struct heard {
    bool said_away;
    uint64_t life;
};

/* A process. What it has of a world is a number that grows with every write. */
struct proc {
    struct cluster *c;
    int index;
    bool up, ending;
    uint64_t life;
    int64_t stalled_until;
    int64_t clock_off, drift; /* of its clock: ms, and thousandths */
    char id[32], url[32];
    struct lease_port port;
    struct lease_settings settings;
    struct leases *l;
    int64_t wake_at; /* real time; INT64_MAX: none */

    uint64_t calls, pending; /* tends sent; the one under way, or 0 */
    uint64_t asks, asking;   /* the same of asks */
    int64_t ask_sent;
    struct lease_answers answers;
    char reach_url[32];
    int answers_due;
    struct heard heard_now[PROCS], heard[PROCS]; /* of this ask; of that on which consent rests */
    int64_t consent_until;

    struct {
        bool in_core, robbed; /* Redis gave the lease away before its time */
        int64_t epoch, value;
    } worlds[WORLDS];
};

struct cluster {
    int64_t now, chaos_until;
    struct rng rng;
    struct agenda agenda;
    struct redis redis;
    struct proc procs[PROCS];
    bool cut_redis[PROCS], cut_peer[PROCS][PROCS];
    bool excused[PROCS][PROCS][WORLDS]; /* both have it, and when that began neither could know */
    int64_t apart_ms[PROCS][PROCS];     /* when one last could not ask the other */
    bool polite; /* nothing happens but that Redis goes away for all, and comes back */
    bool honest; /* Redis' clock and data are left alone in this run */
    bool sound;  /* whoever can be reached answers in time */
    int loss, slow;
    int first_owner[WORLDS];   /* polite: and 1; 0: none yet */
    int64_t steady_ms[WORLDS]; /* polite: when it decided last */
    int64_t node_seen[WORLDS]; /* the highest epoch that its nodes have followed */
    const char *failed;        /* what does not hold */
    uint64_t doubles, extended, raised, taken;
    char trace[TRACE_LINES][TRACE_WIDTH];
    size_t traced;
};

/* ---- cluster.c */

void cluster_note(struct cluster *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void cluster_fail(struct cluster *c, const char *what);
int64_t cluster_below(struct cluster *c, int64_t n);
bool cluster_chance(struct cluster *c, int per_mille);
/* How long a message takes. */
int64_t cluster_delay(struct cluster *c);
bool cluster_is_calm(const struct cluster *c);
/* Takes `arg`. */
void cluster_plan(struct cluster *c, int64_t in_ms, void (*run)(void *ctx, void *arg), void *arg);
/* True when all held. */
bool cluster_run(uint64_t seed, bool is_traced, struct cluster *c);

/* ---- proc.c */

void proc_start(struct proc *p);
void proc_stop(struct proc *p);
int64_t proc_clock(const struct proc *p);
bool proc_runs(const struct proc *p);
bool proc_reaches(const struct cluster *c, int a, int b);
/* Who decides, asked without a trace. */
enum owner proc_owner(const struct proc *p, int world);
bool proc_is_extended(const struct proc *p, int world);
void proc_write(struct proc *p, int world);
struct span world_name(int world);

/* ---- chaos.c, checks.c */

void chaos_step(struct cluster *c);
void chaos_end(struct cluster *c);
/* A node or client asks some process for some world. */
void traffic_step(struct cluster *c);
void checks_always(struct cluster *c);
void checks_at_end(struct cluster *c);
