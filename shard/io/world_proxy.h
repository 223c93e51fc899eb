#pragma once
/* `/parties/world/…` at a node: the client library knows one address for worlds and shards, so
 * every node hands such requests on to a world. */
#include "common/net/forward.h"
#include "common/net/tunnel.h"
#include "shard/io/sender.h"
#include "shard/io/worlds.h"

struct world_proxy {
    struct worlds *worlds;
    struct forwards *forwards;
    struct tunnels *tunnels;
    const struct secrets *secrets;
    const char *node_id; /* our own */
};

/* Takes an exchange over: answers it with what a world answers, 502 when none can be reached. */
void world_proxy_request(const struct world_proxy *p, struct http_exchange *x,
                         const struct sender *from);
/* Takes an upgrade request over: it becomes a tunnel, or is answered 502. */
void world_proxy_upgrade(const struct world_proxy *p, struct http_exchange *x,
                         const struct sender *from);
