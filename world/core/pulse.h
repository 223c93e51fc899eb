#pragma once
/* How this process is, as it says of itself: who it is, what it counted, how late it is with its
 * timers. Core has no clock, so io tells it of lateness. */
#include "common/base/span.h"
#include "common/proto/finding.h"
#include "world/core/stats.h"

struct pulse {
    struct span id;                  /* borrowed; empty: it has none */
    const struct stats *stats;       /* borrowed; so is the next */
    const struct findings *findings; /* about the process itself */
    int64_t lag_ms;                  /* the worst since the last step of history, */
    int64_t last_lag_ms;             /* and in that step */
};

/* The worst lateness since the last call. */
static inline void pulse_note(struct pulse *p, int64_t lag_ms)
{
    if (lag_ms > p->lag_ms)
        p->lag_ms = lag_ms;
}
/* A step of history ends: answers its worst lateness. */
static inline int64_t pulse_step(struct pulse *p)
{
    p->last_lag_ms = p->lag_ms;
    p->lag_ms = 0;
    return p->last_lag_ms;
}
/* The worst of the last 5 to 10 s. */
static inline int64_t pulse_lag_ms(const struct pulse *p)
{
    return p->lag_ms > p->last_lag_ms ? p->lag_ms : p->last_lag_ms;
}
