/* Buckets by address. Those who were heard of lately stand at the end of the order; the first one's
 * bucket is looked at with every call, so that the table shrinks as fast as it grew. */
#include "shard/core/address_rates.h"

#include <assert.h>
#include <stdlib.h>

enum {
    NET_LEN = 16,
    NET_KEPT = 8,  /* of an IPv6 address */
    LOOKS_MAX = 2, /* at the oldest, for each call: more than are added */
};

struct net_rate {
    uint8_t net[NET_LEN]; /* the key */
    struct rate rate;
    struct list in_order;
};

static bool is_ipv4(const struct addr *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(a->bytes, mapped, sizeof mapped) == 0;
}

static void net_of(const struct addr *a, uint8_t net[NET_LEN])
{
    memcpy(net, a->bytes, NET_LEN);
    if (!is_ipv4(a))
        memset(net + NET_KEPT, 0, NET_LEN - NET_KEPT);
}

static struct span net_key(const uint8_t net[NET_LEN])
{
    return span_of((const char *)net, NET_LEN);
}

static struct net_rate *oldest(const struct address_rates *a)
{
    struct list *first = list_first(&a->order);
    return first == NULL ? NULL : CONTAINER_OF(first, struct net_rate, in_order);
}

static void forget(struct address_rates *a, struct net_rate *one)
{
    (void)map_remove(&a->by_net, net_key(one->net));
    list_remove(&one->in_order);
    free(one);
}

static bool is_full(const struct address_rates *a, const struct net_rate *one, int64_t now)
{
    return rate_wait_ms(&one->rate, &a->limit, a->limit.burst, now) == 0;
}

static void forget_the_full(struct address_rates *a, int64_t now)
{
    struct net_rate *one;
    for (int i = 0; i < LOOKS_MAX && (one = oldest(a)) != NULL && is_full(a, one, now); i++)
        forget(a, one);
}

static struct net_rate *net_rate_add(struct address_rates *a, const uint8_t net[NET_LEN])
{
    struct net_rate *one = xcalloc(1, sizeof *one);
    if (a->by_net.count >= a->max)
        forget(a, oldest(a));
    memcpy(one->net, net, NET_LEN);
    map_add(&a->by_net, net_key(one->net), one);
    return one;
}

void address_rates_init(struct address_rates *a, struct rate_limit limit, size_t max)
{
    assert(max > 0);
    *a = (struct address_rates){.limit = limit, .max = max};
    list_init(&a->order);
}

void address_rates_limit(struct address_rates *a, struct rate_limit limit)
{
    a->limit = limit;
    if (limit.burst == 0)
        address_rates_clear(a);
}

bool address_rates_take(struct address_rates *a, const struct addr *client, int64_t now,
                        int64_t *wait_ms)
{
    uint8_t net[NET_LEN];
    *wait_ms = 0;
    if (a->limit.burst == 0)
        return true;
    forget_the_full(a, now);
    net_of(client, net);
    struct net_rate *one = map_get(&a->by_net, net_key(net));
    if (one == NULL)
        one = net_rate_add(a, net);
    list_remove(&one->in_order);
    list_push(&a->order, &one->in_order);
    *wait_ms = rate_wait_ms(&one->rate, &a->limit, 1, now);
    return rate_take(&one->rate, &a->limit, 1, now);
}

void address_rates_clear(struct address_rates *a)
{
    for (struct net_rate *one; (one = oldest(a)) != NULL;)
        forget(a, one);
    map_clear(&a->by_net);
}
