#pragma once
/* The room servers of this node, each with its connections for HTTP. */
#include "common/net/http_client.h"
#include "shard/io/origins.h"

struct room_server {
    const struct url_origin *origin;
    struct http_pool *requests; /* of clients */
    struct http_pool *warm_ups; /* short and impatient */
};

struct rooms {
    struct origins origins;
    struct room_server *servers; /* one for each origin */
};

/* Takes `origins` (which becomes empty). */
void rooms_init(struct rooms *r, struct loop *l, struct origins *origins);
void rooms_clear(struct rooms *r);
/* The server that has this room (see origins_choose); NULL when there is no room server. */
struct room_server *rooms_server_of(const struct rooms *r, struct span room);
