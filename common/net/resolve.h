#pragma once
/* Names to addresses without blocking the loop (evdns; /etc/hosts is read). Addresses and
 * `localhost` are answered without a query. */
#include "common/net/loop.h"
#include "common/proto/addr.h"

struct resolve;
/* `done` is called once, never before the call returns, with at least one address or count 0. */
struct resolve *resolve_start(struct loop *l, const char *host,
                              void (*done)(void *ctx, const struct addr *addrs, size_t count),
                              void *ctx);
void resolve_cancel(struct resolve *r);
