#pragma once
/* The model of Redis: what the scripts of tend and commit do, its clock, and what becomes of it. It
 * also remembers what it promised, which Redis does not. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "world/core/leases/leases.h"

enum { PROCS = 3, WORLDS = 3, LIVES = 64, TTL_MS = 3000, REPLICAS = 10, REPLICA_MS = 60 };

struct cluster;

/* A process in one of its lives. */
struct who {
    int index;
    uint64_t life;
};

struct redis_data {
    struct {
        bool held;
        struct who who;
        int64_t epoch, until; /* by Redis' clock */
    } leases[WORLDS];
    struct {
        bool present;
        int64_t epoch, value;
        struct who who; /* who wrote it */
    } meta[WORLDS];
    int64_t registered_until[PROCS];
    uint64_t calls[PROCS][LIVES];
};

struct redis {
    bool up;
    int64_t up_ms; /* since when */
    int64_t clock_off;
    struct redis_data data;
    struct redis_data replicas[REPLICAS]; /* older and older */
    struct {
        bool given;
        struct who who;
        int64_t until; /* real time */
    } promises[WORLDS];
    int64_t highest[WORLDS];      /* of the epochs given */
    uint64_t calls[PROCS][LIVES]; /* the youngest that came, which Redis may have forgotten */
};

struct wish {
    int world;
    enum lease_op op;
    int64_t epoch, above;
};
struct news {
    enum lease_said said;
    int64_t epoch, left_ms;
    int other;
};
struct tend_call {
    struct who from;
    uint64_t no;
    int64_t sent_ms; /* by the clock of who sent it */
    size_t count;
    struct wish wishes[WORLDS];
    struct news news[WORLDS];
    bool peers[PROCS], failed;
};

int64_t redis_clock(const struct cluster *c);
/* Fills in `news` and `peers`. False: it came late and was refused. */
bool redis_tend(struct cluster *c, struct tend_call *call);
/* False: the lease is not theirs. */
bool redis_commit(struct cluster *c, struct who from, int world, int64_t epoch, int64_t value);
void redis_replicate(struct cluster *c);
void redis_fail_over(struct cluster *c, int64_t clock_step);
void redis_empty(struct cluster *c);
