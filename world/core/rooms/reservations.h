#pragma once
/* Promised seats by when their promises end: a ring, the oldest first. A shard has one of what is
 * promised of it, a room one of all its shards. */
#include <stdbool.h>
#include <stdint.h>

/* Promises that end at the same time. */
struct reservation {
    int64_t due_ms; /* monotonic */
    uint64_t count;
};

/* The all-zero struct is valid and empty. */
struct reservations {
    struct reservation *ring;
    uint32_t first, len, cap; /* cap: 0 or a power of two */
    uint64_t total;
};

/* One more. Promises are made in the order in which they end. */
void reservations_add(struct reservations *rs, int64_t due_ms);
/* Takes out up to `max` of those that end first, all of them ending at *due_ms; answers how many,
 * 0: there are none. */
uint64_t reservations_take_first(struct reservations *rs, uint64_t max, int64_t *due_ms);
/* Takes out `count` that end at `due_ms`; so many are there. */
void reservations_take(struct reservations *rs, int64_t due_ms, uint64_t count);
/* When the first ends; INT64_MAX: there are none. */
int64_t reservations_due_ms(const struct reservations *rs);
void reservations_clear(struct reservations *rs);
/* Asserts that the ring is in order and its counts are the total. */
void reservations_check(const struct reservations *rs);
