#pragma once
/* Tells core what newcomers show of the way by which they come (shard/core/checks_clients.h). */
#include "common/net/http_server.h"
#include "shard/io/sender.h"
#include "shard/io/ticker.h"

struct witness {
    struct ticker *ticker;
    const struct addr_set *trusted;
    struct buf session; /* scratch */
};
/* A request of who is neither a process of the cluster nor a proxy that we believe. */
void witness_request(struct witness *w, const struct http_exchange *x);
/* A PROXY header came from `peer`, of whom none is expected. */
void witness_proxied(struct witness *w, const struct addr *peer);
/* A client comes in, not by another process; `query` is its target's, {NULL, 0}: none. */
void witness_client(struct witness *w, const struct sender *from, struct span query);
void witness_clear(struct witness *w);
