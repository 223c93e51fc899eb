#pragma once
/* Tickets that were used, by their nonces, for as long as anybody could show them again: no client
 * gets in by a ticket that was another's. Bounded: when no more can be remembered, none is taken.
 * What is remembered ends with the process, and other nodes do not know of it. */
#include "common/base/map.h"
#include "common/base/wheel.h"

/* Each takes some 150 bytes: 75 MiB in all. */
enum { SPENT_MAX = 500000 };

struct spent {
    struct map by_nonce; /* struct nonce */
    struct wheel wheel;
    size_t max;
};

enum spent_verdict {
    SPENT_FRESH, /* nobody has used it */
    SPENT_USED,
    SPENT_FULL, /* it may be fresh, but could not be remembered */
};

/* `max`: so many at a time. */
void spent_init(struct spent *s, size_t max, int64_t now);
void spent_clear(struct spent *s);
enum spent_verdict spent_look(struct spent *s, struct span nonce, int64_t now);
/* It is used from now on; spent_look has just found it fresh. `until_ms`: nobody takes it any more
 * from then on, used or not. */
void spent_add(struct spent *s, struct span nonce, int64_t until_ms);
