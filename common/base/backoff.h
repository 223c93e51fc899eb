#pragma once
/* Exponential back-off with full jitter: the n-th wait is uniform in [min, min(max, min·2^n)]. */
#include "common/base/rng.h"

struct backoff {
    int64_t min_ms, max_ms;
    unsigned tries;
};

/* How long to wait before the next try. */
int64_t backoff_next(struct backoff *b, struct rng *rng);
static inline void backoff_reset(struct backoff *b)
{
    b->tries = 0;
}
