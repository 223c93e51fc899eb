/* Owns one pool of connections per server and use. */
#include "common/net/upstreams.h"

#include <stdlib.h>

#include "common/base/mem.h"

static const struct http_pool_settings request_settings = {
    .connect_ms = 3000,
    .answer_ms = 60000,
    .max_idle = 64,
    .idle_ms = 4000, /* below Node's keepAliveTimeout of 5 s, so that it is us who close */
    .high_water = 256 * 1024,
};

static const struct http_pool_settings errand_settings = {
    .connect_ms = 3000,
    .answer_ms = 5000,
    .max_idle = 16,
    .idle_ms = 4000,
    .high_water = 64 * 1024,
};

void upstreams_init(struct upstreams *u, struct loop *l, struct origins *origins)
{
    *u = (struct upstreams){.origins = *origins};
    *origins = (struct origins){0};
    u->list = xcalloc(u->origins.count, sizeof *u->list);
    for (size_t i = 0; i < u->origins.count; i++) {
        const struct url_origin *o = &u->origins.list[i];
        u->list[i] = (struct upstream){
            .origin = o,
            .requests = http_pool_new(l, o, &request_settings),
            .errands = http_pool_new(l, o, &errand_settings),
        };
    }
}

void upstreams_clear(struct upstreams *u)
{
    for (size_t i = 0; i < u->origins.count; i++) {
        http_pool_free(u->list[i].requests);
        http_pool_free(u->list[i].errands);
    }
    free(u->list);
    u->list = NULL;
    origins_clear(&u->origins);
}

const struct upstream *upstreams_choose(const struct upstreams *u, struct span key)
{
    const struct url_origin *o = origins_choose(&u->origins, key);
    return o == NULL ? NULL : &u->list[o - u->origins.list];
}
