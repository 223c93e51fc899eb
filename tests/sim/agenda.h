#pragma once
/* What is to happen, in the order of simulated time; at the same time, in the order of planning. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host;

/* One thing to do. */
struct item {
    int64_t due_ms;
    uint64_t no;
    struct host *host; /* the process that does it; NULL: the world outside */
    uint64_t life;     /* of the host, when it was planned: a later one knows nothing of it */
    void (*run)(void *ctx, void *arg);
    void *ctx;
    void *arg; /* freed after `run`, or without it */
};

/* The all-zero struct is valid and empty. */
struct agenda {
    struct item *items; /* a heap */
    size_t count, cap;
    uint64_t next_no;
};

/* Copies `item`; its number is given here. Takes `arg`. */
void agenda_add(struct agenda *a, struct item item);
/* The first; false: there is none. The caller frees its `arg`. */
bool agenda_pop(struct agenda *a, struct item *out);
int64_t agenda_next_ms(const struct agenda *a); /* INT64_MAX: nothing is planned */
void agenda_clear(struct agenda *a);
