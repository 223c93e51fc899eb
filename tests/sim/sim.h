#pragma once
/* One run of the simulation: a world, nodes and clients under one clock, all of it decided by a
 * seed (tests/sim/README.md). */
#include "common/base/err.h"
#include "common/base/list.h"
#include "common/base/rng.h"
#include "tests/sim/agenda.h"

enum {
    SIM_WORLD = 0, /* index of the world's host; those of nodes follow */
    SIM_NODES_MAX = 5,
    SIM_CLIENTS_MAX = 60,
    SIM_ROOMS_MAX = 3,
    SIM_SEAT_TTL_MS = 15000,
    SIM_ID_MAX = 128, /* bytes of a shard id with its NUL */
    SIM_TWICE_MAX = 40,
    SIM_TRACE_LINES = 80,
    SIM_TRACE_WIDTH = 1000,
};
#define SIM_WORLD_ID     "world-s"
#define SIM_WALL_MS      INT64_C(1760000000000)
#define SIM_SHARD_SECRET "secret-of-the-simulation"

/* What can be switched off, to see that it is missed. */
enum sim_off {
    SIM_OFF_SEQ,
    SIM_OFF_EXPIRY,
    SIM_OFF_RETURNING,
    SIM_OFF_REPEAT,
    SIM_OFF_MISSING,
    SIM_OFF_COUNT
};
extern const char *const sim_off_names[SIM_OFF_COUNT + 1];
extern bool sim_off[SIM_OFF_COUNT];

/* A process and what happens to it. */
struct host {
    int index;
    bool up;
    uint64_t life;         /* grows with every end */
    int64_t stalled_until; /* its loop stands still */
    int64_t wall_off_ms;   /* its wall clock, beside the true one */
    bool cut_off;          /* no message between it and any other host passes */
};

/* What a seed has in store for all of a run. */
struct plan {
    bool polite; /* nothing fails, and every client has asked before it dials */
    int nodes, clients, rooms;
    int loss, repeats;    /* of messages, in thousandths */
    int64_t delay_max_ms; /* of a message; a few are much slower */
    int slow;             /* those, in thousandths */
    int64_t pause_ms;     /* between two steps, at most */
    bool is_cramped;      /* nodes are small: */
    uint64_t max_connections;
};

/* A shard that two nodes take for theirs. */
struct twice {
    char shard[SIM_ID_MAX];
    int64_t since_ms; /* 0: it is not so */
};

struct sim {
    uint64_t seed;
    uint64_t steps, step;
    bool is_traced;
    bool calm; /* the end: nothing fails any more */
    bool failed;
    char why[600];
    int64_t now;
    struct rng rng;
    struct plan plan;
    struct agenda agenda;
    struct host hosts[1 + SIM_NODES_MAX];
    struct site *site;   /* the world's process */
    struct fleet *fleet; /* the nodes' */
    struct crowd *crowd; /* the clients */
    struct list dials;   /* on their way in, or over; dial.c's */
    struct rooms *rooms; /* the room servers */
    struct net *net;
    struct twice twice[SIM_TWICE_MAX];
    char trace[SIM_TRACE_LINES][SIM_TRACE_WIDTH];
    uint64_t traced;
};

/* Runs one seed. False: an invariant does not hold; it has been printed. */
bool sim_run(uint64_t seed, uint64_t steps, bool is_traced);
/* For a failed assertion: prints what the run that is under way did last. */
void sim_print_last(const char *why);

uint64_t sim_below(struct sim *s, uint64_t n);
/* True in so many of a thousand cases. */
bool sim_chance(struct sim *s, int thousandths);
/* From min to max, both included. */
int64_t sim_between(struct sim *s, int64_t min, int64_t max);
/* Plans something for so many ms from now; `host` NULL: outside of all processes. Takes `arg`. */
void sim_plan(struct sim *s, int64_t after_ms, struct host *host, void (*run)(void *ctx, void *arg),
              void *ctx, void *arg);
void sim_say(struct sim *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* An invariant does not hold: the run ends. Only the first one counts. */
void sim_fail(struct sim *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
static inline int64_t sim_wall(const struct sim *s, const struct host *h)
{
    return SIM_WALL_MS + s->now + h->wall_off_ms;
}
/* Messages between them pass. */
static inline bool sim_reaches(const struct host *a, const struct host *b)
{
    return a == b || (!a->cut_off && !b->cut_off);
}
