/* Token buckets. What is missing is counted in thousandths of a token: a millisecond brings back
 * exactly `per_s` of them. */
#include "common/base/rate.h"

enum { THOUSAND = 1000 };

static uint64_t spent_at(const struct rate *r, const struct rate_limit *limit, int64_t now)
{
    uint64_t back;

    if (now <= r->at_ms)
        return r->spent;
    if (__builtin_mul_overflow((uint64_t)now - (uint64_t)r->at_ms, limit->per_s, &back) ||
        back >= r->spent)
        return 0;
    return r->spent - back;
}

int64_t rate_wait_ms(const struct rate *r, const struct rate_limit *limit, uint32_t count,
                     int64_t now)
{
    uint64_t size = (uint64_t)limit->burst * THOUSAND;
    uint64_t wanted = spent_at(r, limit, now) + (uint64_t)count * THOUSAND;

    if (wanted <= size)
        return 0;
    if (count > limit->burst || limit->per_s == 0)
        return INT64_MAX;
    return (int64_t)((wanted - size + limit->per_s - 1) / limit->per_s);
}

bool rate_take(struct rate *r, const struct rate_limit *limit, uint32_t count, int64_t now)
{
    if (rate_wait_ms(r, limit, count, now) > 0)
        return false;
    *r = (struct rate){
        .spent = spent_at(r, limit, now) + (uint64_t)count * THOUSAND,
        .at_ms = now > r->at_ms ? now : r->at_ms,
    };
    return true;
}

void rate_owe(struct rate *r, const struct rate_limit *limit, uint32_t count, uint32_t debt,
              int64_t now)
{
    uint64_t most = ((uint64_t)limit->burst + debt) * THOUSAND;
    uint64_t spent = spent_at(r, limit, now) + (uint64_t)count * THOUSAND;

    *r = (struct rate){
        .spent = spent < most ? spent : most,
        .at_ms = now > r->at_ms ? now : r->at_ms,
    };
}

uint64_t rate_within(const struct rate *r, const struct rate_limit *limit, uint32_t ms, int64_t now)
{
    uint64_t have = (uint64_t)limit->burst * THOUSAND + (uint64_t)limit->per_s * ms;
    uint64_t spent = spent_at(r, limit, now);

    return spent < have ? (have - spent) / THOUSAND : 0;
}
