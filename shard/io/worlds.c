/* Owns one pool of connections per world and use, and remembers which world answers. */
#include "shard/io/worlds.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"

static const struct http_pool_settings request_settings = {
    .connect_ms = 3000,
    .answer_ms = 60000,
    .max_idle = 64,
    .idle_ms = 4000, /* below Node's keepAliveTimeout of 5 s, so that it is us who close */
    .high_water = 256 * 1024,
};
static const struct http_pool_settings report_settings = {
    .connect_ms = 3000,
    .answer_ms = 5000,
    .max_idle = 16,
    .idle_ms = 4000,
    .high_water = 64 * 1024,
};

void worlds_init(struct worlds *w, struct loop *l, struct origins *origins)
{
    assert(origins->count > 0);
    *w = (struct worlds){.origins = *origins};
    *origins = (struct origins){0};
    w->servers = xcalloc(w->origins.count, sizeof *w->servers);
    for (size_t i = 0; i < w->origins.count; i++) {
        const struct url_origin *o = &w->origins.list[i];
        w->servers[i] = (struct world_server){
            .origin = o,
            .requests = http_pool_new(l, o, &request_settings),
            .reports = http_pool_new(l, o, &report_settings),
        };
    }
}

void worlds_clear(struct worlds *w)
{
    for (size_t i = 0; i < w->origins.count; i++) {
        http_pool_free(w->servers[i].requests);
        http_pool_free(w->servers[i].reports);
    }
    free(w->servers);
    w->servers = NULL;
    origins_clear(&w->origins);
}

static void leave(struct worlds *w, size_t failed)
{
    w->failures++;
    if (w->current != failed || w->origins.count < 2)
        return; /* someone else has moved on already, or there is nowhere to go */
    w->current = (failed + 1) % w->origins.count;
    log_warn("world.change", "from=%s to=%s", w->origins.list[failed].text,
             w->origins.list[w->current].text);
}

struct world_server *worlds_next(struct worlds *w, struct worlds_walk *walk)
{
    if (walk->tries == 0)
        walk->at = w->current;
    else
        leave(w, walk->at);
    if (walk->tries == w->origins.count)
        return NULL;
    if (walk->tries > 0)
        walk->at = (walk->at + 1) % w->origins.count;
    walk->tries++;
    return &w->servers[walk->at];
}
