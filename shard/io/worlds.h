#pragma once
/* The world processes of this node. One is used until it cannot be reached; then the next. */
#include "common/net/http_client.h"
#include "shard/io/origins.h"

struct world_server {
    const struct url_origin *origin;
    struct http_pool *requests; /* of clients */
    struct http_pool *reports;
};

struct worlds {
    struct origins origins;
    struct world_server *servers; /* one for each origin */
    size_t current;
    uint64_t failures; /* worlds that could not be reached when asked */
};

/* Takes `origins` (at least one; becomes empty). */
void worlds_init(struct worlds *w, struct loop *l, struct origins *origins);
void worlds_clear(struct worlds *w);

/* One walk over all worlds, from the present one on: zero it before. NULL: all have been tried (the
 * first call always finds one). Asking for another one says that the one before could not be
 * reached; it is then no longer the present one. */
struct worlds_walk {
    size_t tries, at;
};
struct world_server *worlds_next(struct worlds *w, struct worlds_walk *walk);
