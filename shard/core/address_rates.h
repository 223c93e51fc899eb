#pragma once
/* How often one client address may connect (CLIENT_RATE, docs/design.md section 8): a token bucket
 * for each address that was seen lately. An IPv6 client is its /64, because whoever has one address
 * of it has all. Every call costs O(1), and memory is bounded: who is not heard of until its bucket
 * is full is forgotten, and beyond `max` addresses the one that was silent longest. */
#include "common/base/list.h"
#include "common/base/map.h"
#include "common/base/rate.h"
#include "common/proto/addr.h"

enum { ADDRESS_RATES_MAX = 65536 }; /* about 8 MiB */

struct address_rates {
    struct rate_limit limit; /* burst 0: none */
    size_t max;
    struct map by_net;
    struct list order; /* the one that was silent longest first */
};

void address_rates_init(struct address_rates *a, struct rate_limit limit, size_t max);
/* Another limit, for all that come from now on; nobody's bucket is refilled by it. */
void address_rates_limit(struct address_rates *a, struct rate_limit limit);
/* May the client connect now? True takes a token; false: *wait_ms is when there is one again. */
bool address_rates_take(struct address_rates *a, const struct addr *client, int64_t now,
                        int64_t *wait_ms);
static inline size_t address_rates_count(const struct address_rates *a)
{
    return a->by_net.count;
}
/* Forgets all, and frees them. */
void address_rates_clear(struct address_rates *a);
