/* Owns pools by their origin's text, and their time. */
#include "common/net/pools.h"

#include <stdlib.h>

#include "common/base/mem.h"

struct pools_entry {
    struct list node; /* in by_use */
    char *text;       /* the key, as it was asked for */
    struct url_origin origin;
    struct http_pool *pool;
    int64_t used_ms;
};

static void entry_free(struct pools *p, struct pools_entry *e)
{
    (void)map_remove(&p->by_text, span_str(e->text));
    list_remove(&e->node);
    http_pool_free(e->pool);
    url_origin_clear(&e->origin);
    free(e->text);
    free(e);
}

static void entry_touch(struct pools *p, struct pools_entry *e)
{
    e->used_ms = loop_now(p->loop);
    list_remove(&e->node);
    list_push(&p->by_use, &e->node);
}

/* Those that are busy stay, and are looked at again a while later. */
static void sweep(struct timer *t, int64_t now)
{
    struct pools *p = CONTAINER_OF(t, struct pools, sweep);
    LIST_EACH_SAFE (&p->by_use, it, next) {
        struct pools_entry *e = CONTAINER_OF(it, struct pools_entry, node);
        if (now - e->used_ms >= POOLS_IDLE_MS && !http_pool_is_busy(e->pool))
            entry_free(p, e);
    }
    if (pools_count(p) > 0)
        wheel_set(loop_wheel(p->loop), t, now + POOLS_IDLE_MS / 4);
}

/* False: all are busy. */
static bool make_room(struct pools *p)
{
    if (pools_count(p) < POOLS_MAX)
        return true;
    LIST_EACH (&p->by_use, it) {
        struct pools_entry *e = CONTAINER_OF(it, struct pools_entry, node);
        if (http_pool_is_busy(e->pool))
            continue;
        entry_free(p, e);
        return true;
    }
    return false;
}

static struct pools_entry *entry_new(struct pools *p, struct span text)
{
    struct url_origin origin;
    if (url_origin_parse(text, &origin) != ERR_OK)
        return NULL;
    origin.inside = p->inside;
    if (!make_room(p)) {
        url_origin_clear(&origin);
        return NULL;
    }
    struct pools_entry *e = xcalloc(1, sizeof *e);
    e->text = xspandup(text);
    e->origin = origin;
    e->pool = http_pool_new(p->loop, &e->origin, p->settings);
    map_add(&p->by_text, span_str(e->text), e);
    if (!timer_is_set(&p->sweep))
        wheel_set(loop_wheel(p->loop), &p->sweep, loop_now(p->loop) + POOLS_IDLE_MS / 4);
    return e;
}

void pools_init(struct pools *p, struct loop *l, const struct http_pool_settings *settings)
{
    *p = (struct pools){.loop = l, .settings = settings, .sweep.fire = sweep};
    list_init(&p->by_use);
}

struct http_pool *pools_get(struct pools *p, struct span origin_text)
{
    struct pools_entry *e = map_get(&p->by_text, origin_text);
    if (e == NULL)
        e = entry_new(p, origin_text);
    if (e == NULL)
        return NULL;
    entry_touch(p, e);
    return e->pool;
}

void pools_clear(struct pools *p)
{
    wheel_cancel(loop_wheel(p->loop), &p->sweep);
    for (struct list *it; (it = list_first(&p->by_use)) != NULL;)
        entry_free(p, CONTAINER_OF(it, struct pools_entry, node));
    map_clear(&p->by_text);
}
