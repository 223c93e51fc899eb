#pragma once
/* `/parties/shard/…` at a world: the client library knows one address for worlds and shards, so a
 * world hands what is for a shard on to the node that owns it (docs/protocol.md, "Any entry"). It
 * is not meant to carry games: WORLD_TUNNELS bounds it. */
#include "common/net/held.h"
#include "common/proto/secret.h"
#include "common/proto/whence.h"

struct server;

/* How often core is asked for one client, and how long a node may take to connect and to answer. */
enum { SHARD_PROXY_ASKS = 3, SHARD_PROXY_CONNECT_MS = 1000, SHARD_PROXY_ANSWER_MS = 2000 };

struct shard_proxy_stats {
    struct tunnel_stats tunnels;
    struct forward_stats forwards;
    uint64_t forwards_now; /* gauge */
    uint64_t refused_full, unreachable, misdirected;
};

struct shard_proxy {
    struct server *server; /* asks core */
    struct loop *loop;
    const struct secrets *secrets; /* the cluster's, a list */
    struct tunnels tunnels;
    struct forwards forwards;
    struct pools pools;
    struct held_ways ways; /* the three above */
    struct shard_proxy_stats stats;
    struct list all;
};
/* All borrowed; `max_tunnels` at a time. */
void shard_proxy_init(struct shard_proxy *p, struct loop *l, struct server *server,
                      const struct secrets *secrets, size_t max_tunnels);
/* True when the path is a shard's. */
bool shard_proxy_wants(struct span path);
/* Takes such an exchange over. `whence` is copied. */
void shard_proxy_take(struct shard_proxy *p, struct http_exchange *x, const struct whence *whence);
static inline size_t shard_proxy_sockets(const struct shard_proxy *p)
{
    return tunnels_count(&p->tunnels);
}
/* Ends all tunnels: the clients come back. */
void shard_proxy_close(struct shard_proxy *p);
/* Drops what is left; the loop must turn once more before shard_proxy_clear. */
void shard_proxy_abort(struct shard_proxy *p);
void shard_proxy_clear(struct shard_proxy *p);
