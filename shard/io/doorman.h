#pragma once
/* How fast clients come in: the rate of each address (CLIENT_RATE), and of all together
 * (CONNECT_RATE). Upgrades that cannot be taken at once wait here, with nothing but their request's
 * head, and one timer for all. Core decides (shard/core/address_rates.h, admission.h). */
#include "common/base/rng.h"
#include "common/net/http_server.h"
#include "shard/core/address_rates.h"
#include "shard/io/io_stats.h"
#include "shard/io/sender.h"
#include "shard/io/ticker.h"

struct doorman {
    struct ticker *ticker;
    const struct addr_set *trusted;
    struct io_stats *stats;
    /* One who waited is let in: its request goes its way again, from the start. */
    void (*admitted)(void *ctx, struct http_exchange *x);
    void *ctx;

    struct address_rates addresses;
    struct admission admission;
    struct timer look;
    struct rng rng;
};

/* The members up to `ctx` have been set; all are borrowed. */
void doorman_init(struct doorman *d, struct rate_limit client_rate, struct rate_limit connect_rate);
/* Other rates from now on. */
void doorman_limit(struct doorman *d, struct rate_limit client_rate,
                   struct rate_limit connect_rate);

/* May whoever sent this request connect now? False: it is answered with 429. Each upgrade counts,
 * another request if it is the first of its connection. Loopback, trusted proxies themselves and
 * what another process let in are not asked. */
bool doorman_lets_connect(struct doorman *d, struct http_exchange *x, const struct sender *from,
                          bool is_upgrade);
/* May an upgrade go on its way now? False: it waits for `admitted`, or is answered with 503. What
 * another process let in may. `known`: its session has a socket or a kept seat here. */
bool doorman_admits(struct doorman *d, struct http_exchange *x, const struct sender *from,
                    bool known);
/* Answers 503 to all that wait. */
void doorman_dismiss(struct doorman *d);
/* Drops all that wait, without answers. */
void doorman_clear(struct doorman *d);
