#pragma once
/* Token buckets, sans clock, in integers: a bucket of `burst` tokens that fills with `per_s` of
 * them a second. Times are monotonic milliseconds; one that runs backwards adds nothing. */
#include <stdbool.h>
#include <stdint.h>

struct rate_limit {
    uint32_t per_s; /* 0: the bucket is never filled again */
    uint32_t burst;
};

/* The all-zero struct is a full bucket. It knows no limit: the same one comes with every call. */
struct rate {
    uint64_t spent; /* thousandths of tokens that were missing at `at_ms` */
    int64_t at_ms;
};

/* How long until `count` tokens are there: 0 now, INT64_MAX never. */
int64_t rate_wait_ms(const struct rate *r, const struct rate_limit *limit, uint32_t count,
                     int64_t now);
/* Takes `count` tokens, all or none; false: they are not there. */
bool rate_take(struct rate *r, const struct rate_limit *limit, uint32_t count, int64_t now);
/* Takes them although they are not there: the bucket goes into debt, by at most `debt` tokens. */
void rate_owe(struct rate *r, const struct rate_limit *limit, uint32_t count, uint32_t debt,
              int64_t now);
/* How many tokens there are, and come within the next `ms`, with what is owed taken off. */
uint64_t rate_within(const struct rate *r, const struct rate_limit *limit, uint32_t ms,
                     int64_t now);
