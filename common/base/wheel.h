#pragma once
/* Timers, sans clock: a hashed timing wheel (Varghese and Lauck, 1987, scheme 6). Setting and
 * cancelling cost O(1). Times are monotonic milliseconds; a timer fires at its time or up to
 * WHEEL_TICK_MS late, never early. */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/list.h"

enum { WHEEL_TICK_MS = 10, WHEEL_SLOTS = 1024 };

/* Embedded in its owner. The all-zero timer is valid and not set. */
struct timer {
    struct list node;
    int64_t due_ms;
    void (*fire)(struct timer *t, int64_t now);
};

/* Does not move once it is initialised: the lists point into it. */
struct wheel {
    struct list slots[WHEEL_SLOTS];
    uint64_t used[WHEEL_SLOTS / 64]; /* a bit per slot that is not empty */
    struct list late;                /* set when their tick was over already */
    int64_t tick;                    /* the next tick to be looked at */
    size_t count;                    /* timers that are set */
};

void wheel_init(struct wheel *w, int64_t now);
/* Sets (or moves) the timer; `t->fire` must be set. A due time in the past fires at the next
 * advance. */
void wheel_set(struct wheel *w, struct timer *t, int64_t due_ms);
/* Nothing happens when it is not set. */
void wheel_cancel(struct wheel *w, struct timer *t);
static inline bool timer_is_set(const struct timer *t)
{
    return list_linked(&t->node);
}
/* Fires what is due. A timer is not set while it fires and may be set again, or freed, in there. */
void wheel_advance(struct wheel *w, int64_t now);
/* When to call wheel_advance again at the latest; INT64_MAX when no timer is set. May be too early,
 * never too late (beyond the tick). */
int64_t wheel_next_ms(const struct wheel *w);
