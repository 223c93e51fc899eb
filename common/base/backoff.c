/* How long to wait between tries. */
#include "common/base/backoff.h"

/* Enough to double 1 ms to beyond all times. */
enum { TRIES_MAX = 63 };

int64_t backoff_next(struct backoff *b, struct rng *rng)
{
    if (b->tries < TRIES_MAX)
        b->tries++;
    int64_t top = b->min_ms;
    for (unsigned i = 0; i < b->tries && top < b->max_ms; i++)
        top = top > b->max_ms / 2 ? b->max_ms : top * 2;
    return b->min_ms + (int64_t)rng_below(rng, (uint64_t)(top - b->min_ms) + 1);
}
