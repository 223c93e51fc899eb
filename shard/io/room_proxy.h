#pragma once
/* HTTP requests for a shard: forwarded to the room server of its room. */
#include "common/net/forward.h"
#include "shard/core/node.h"
#include "shard/io/arrival.h"
#include "shard/io/room_servers.h"
#include "shard/io/settings.h"
#include "shard/io/ticker.h"

struct room_proxy {
    struct ticker *ticker; /* of the node */
    struct room_servers *rooms;
    struct forwards *forwards;
    const struct secrets *secrets; /* sent to room servers */
    enum http_proxy_path path;
};

/* Answers a request with what the room says, at some time, and starts the shard if this is its
 * first one. ERR_OK: taken over. ERR_MISSING: no room server (503); ERR_FULL: 503; ERR_SYNTAX,
 * ERR_LIMIT: 400. */
MUST_CHECK enum err room_proxy_take(const struct room_proxy *p, const struct arrived *a);
