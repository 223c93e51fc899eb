#pragma once
/* The servers behind this node, worlds or room servers, each with its connections for HTTP. */
#include "common/net/http_client.h"
#include "common/proto/origins.h"

struct upstream {
    const struct url_origin *origin;
    struct http_pool *requests; /* of clients */
    struct http_pool *errands;  /* our own: short and impatient */
};

struct upstreams {
    struct origins origins;
    struct upstream *list; /* one for each origin */
};

/* Takes `origins` (which becomes empty). */
void upstreams_init(struct upstreams *u, struct loop *l, struct origins *origins);
void upstreams_clear(struct upstreams *u);

/* The one that has `key` (see origins_choose); NULL when there is none at all. */
const struct upstream *upstreams_choose(const struct upstreams *u, struct span key);
