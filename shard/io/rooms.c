/* Owns one pool of connections per room server and use. */
#include "shard/io/rooms.h"

#include <stdlib.h>

#include "common/base/mem.h"

static const struct http_pool_settings request_settings = {
    .connect_ms = 3000,
    .answer_ms = 60000,
    .max_idle = 64,
    .idle_ms = 4000, /* below Node's keepAliveTimeout of 5 s, so that it is us who close */
    .high_water = 256 * 1024,
};
static const struct http_pool_settings warm_up_settings = {
    .connect_ms = 3000,
    .answer_ms = 5000,
    .max_idle = 8,
    .idle_ms = 4000,
    .high_water = 64 * 1024,
};

void rooms_init(struct rooms *r, struct loop *l, struct origins *origins)
{
    *r = (struct rooms){.origins = *origins};
    *origins = (struct origins){0};
    r->servers = xcalloc(r->origins.count, sizeof *r->servers);
    for (size_t i = 0; i < r->origins.count; i++) {
        const struct url_origin *o = &r->origins.list[i];
        r->servers[i] = (struct room_server){
            .origin = o,
            .requests = http_pool_new(l, o, &request_settings),
            .warm_ups = http_pool_new(l, o, &warm_up_settings),
        };
    }
}

void rooms_clear(struct rooms *r)
{
    for (size_t i = 0; i < r->origins.count; i++) {
        http_pool_free(r->servers[i].requests);
        http_pool_free(r->servers[i].warm_ups);
    }
    free(r->servers);
    r->servers = NULL;
    origins_clear(&r->origins);
}

struct room_server *rooms_server_of(const struct rooms *r, struct span room)
{
    const struct url_origin *o = origins_choose(&r->origins, room);
    return o == NULL ? NULL : &r->servers[o - r->origins.list];
}
