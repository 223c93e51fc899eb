/* Which worlds are ours, and how they come in. What is written of one is its world_writer's. */
#include "world/io/redis/store_redis.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/map.h"
#include "world/core/record.h"
#include "world/io/moment_now.h"
#include "world/io/redis/scripts.h"
#include "world/io/redis/world_records.h"
#include "world/io/redis/world_writer.h"

/* A world on its way into core. */
struct loading {
    struct list node;
    struct store_redis *store;
    struct span world; /* owned */
    int64_t epoch;
    bool dropped;
};

struct store_redis {
    struct writers writers;
    struct redis_script load;
    struct store_redis_events events;
    struct map worlds; /* struct world_writer by their names */
    struct list loads; /* struct loading.node */
};

/* ---- worlds that come */

static void loading_free(struct loading *l)
{
    list_remove(&l->node);
    span_free(l->world);
    free(l);
}

static struct loading *find_loading(struct store_redis *s, struct span world)
{
    LIST_EACH (&s->loads, it) {
        struct loading *l = CONTAINER_OF(it, struct loading, node);

        if (!l->dropped && span_eq(l->world, world))
            return l;
    }
    return NULL;
}

static void drop(struct store_redis *s, struct span world)
{
    struct world_writer *w = map_remove(&s->worlds, world);

    if (w != NULL)
        world_writer_free(w, true);
}

static enum err restore_all(struct loading *l, const struct world_records *records, struct buf *why)
{
    struct store_redis *s = l->store;
    struct moment now = moment_now(s->writers.loop);

    for (size_t i = 0; i < records->count; i++) {
        const struct record *r = &records->list[i].record;

        if (core_restore(s->writers.core, r, now) == ERR_OK)
            continue;
        buf_addf(why,
                 "%.*s:%s:%.*s holds a record that cannot be used: ", SPAN_ARG(s->writers.prefix),
                 record_kind_names[r->kind], SPAN_ARG(r->world));
        json_add_string(why, r->key);
        return ERR_SYNTAX;
    }
    return ERR_OK;
}

static enum err take(struct loading *l, const struct world_records *records, struct buf *why)
{
    struct store_redis *s = l->store;
    struct core *core = s->writers.core;
    struct world_writer *w = world_writer_new(&s->writers, l->world, l->epoch, records->rev);
    enum err e;

    assert(map_get(&s->worlds, l->world) == NULL);
    map_add(&s->worlds, w->world, w);
    core_take_world(core, l->world, l->epoch, records->clock_ms, moment_now(s->writers.loop));
    e = restore_all(l, records, why);
    if (e == ERR_OK) {
        log_info("world.loaded", "world=%.*s epoch=%lld records=%zu", SPAN_ARG(l->world),
                 (long long)l->epoch, records->count);
        return ERR_OK;
    }
    core_drop_world(core, l->world, moment_now(s->writers.loop));
    drop(s, l->world);
    return e;
}

static void on_loaded(void *ctx, enum err e, const struct redis_answer *a)
{
    struct loading *l = ctx;
    struct store_redis *s = l->store;
    struct world_records records = {0};
    struct buf why = {0};

    if (l->dropped) {
        loading_free(l);
        return;
    }
    if (e != ERR_OK) {
        buf_add_span(&why, redis_why(e, a));
        e = ERR_IO;
    } else {
        e = world_records_read(&records, s->writers.prefix, l->world, a, &why);
    }
    if (e == ERR_OK)
        e = take(l, &records, &why);
    s->events.loaded(s->events.ctx, l->world, e, buf_span(&why));
    world_records_clear(&records);
    buf_clear(&why);
    loading_free(l);
}

/* ---- the port */

static struct world_writer *ours(struct store_redis *s, struct span world)
{
    struct world_writer *w = map_get(&s->worlds, world);

    assert(w != NULL);
    return w;
}

static void put(void *ctx, const struct record *record)
{
    world_writer_put(ours(ctx, record->world), record);
}

static void take_out(void *ctx, enum record_kind kind, struct span world, struct span key)
{
    world_writer_remove(ours(ctx, world), kind, key);
}

static void wait_for_commit(void *ctx, struct span world, uint64_t token)
{
    world_writer_sync(ours(ctx, world), token);
}

static void on_closed(void *ctx, struct span world)
{
    struct store_redis *s = ctx;

    s->events.closed(s->events.ctx, world);
}

static void on_lost(void *ctx, struct span world)
{
    struct store_redis *s = ctx;

    s->events.lost(s->events.ctx, world);
}

/* ---- */

struct store_redis *store_redis_new(struct loop *l, struct core *core, struct redis *redis,
                                    const struct store_redis_settings *settings,
                                    const struct store_redis_events *events,
                                    struct store_stats *stats)
{
    struct store_redis *s = xcalloc(1, sizeof(*s));

    assert(settings->id.len > 0);
    s->writers = (struct writers){.loop = l,
                                  .core = core,
                                  .redis = redis,
                                  .script.text = commit_lua.ptr,
                                  .prefix = settings->prefix,
                                  .id = settings->id,
                                  .wait_replicas = settings->wait_replicas,
                                  .wait_ms = settings->timeout_ms / 2,
                                  .patience_ms = settings->patience_ms,
                                  .stats = stats,
                                  .ctx = s,
                                  .closed = on_closed,
                                  .lost = on_lost};
    s->load.text = load_lua.ptr;
    s->events = *events;
    writers_init(&s->writers);
    list_init(&s->loads);
    return s;
}

void store_redis_free(struct store_redis *s)
{
    struct map_entry *e;

    if (s == NULL)
        return;
    for (size_t at = 0; (e = map_next(&s->worlds, &at)) != NULL;)
        world_writer_free(e->value, false);
    map_clear(&s->worlds);
    writers_clear(&s->writers);
    LIST_EACH_SAFE (&s->loads, it, after) {
        loading_free(CONTAINER_OF(it, struct loading, node));
    }
    free(s);
}

struct store_port store_redis_port(struct store_redis *s)
{
    return (struct store_port){.ctx = s, .put = put, .remove = take_out, .sync = wait_for_commit};
}

void store_redis_load(struct store_redis *s, struct span world, int64_t epoch)
{
    struct loading *l = xcalloc(1, sizeof(*l));
    const struct redis_call call = {.done = on_loaded, .ctx = l};

    assert(map_get(&s->worlds, world) == NULL && find_loading(s, world) == NULL);
    *l = (struct loading){.store = s, .world = span_copy(world), .epoch = epoch};
    list_push(&s->loads, &l->node);
    world_records_ask(s->writers.redis, &s->load, s->writers.prefix, world, &call);
}

void store_redis_raise(struct store_redis *s, struct span world, int64_t epoch)
{
    struct world_writer *w = map_get(&s->worlds, world);
    struct loading *l = find_loading(s, world);

    if (w != NULL)
        world_writer_raise(w, epoch);
    else if (l != NULL)
        l->epoch = epoch;
}

void store_redis_close(struct store_redis *s, struct span world)
{
    struct world_writer *w = ours(s, world);

    core_store_world_counts(s->writers.core, world);
    world_writer_close(w);
}

void store_redis_drop(struct store_redis *s, struct span world)
{
    struct loading *l = find_loading(s, world);

    if (l != NULL)
        l->dropped = true;
    drop(s, world);
}

void store_redis_hold(struct store_redis *s)
{
    s->writers.held = true;
}

void store_redis_refuse(struct store_redis *s)
{
    struct map_entry *e;

    for (size_t at = 0; (e = map_next(&s->worlds, &at)) != NULL;)
        world_writer_refuse(e->value);
}

void store_redis_up(struct store_redis *s)
{
    struct map_entry *e;

    s->writers.held = false;
    for (size_t at = 0; (e = map_next(&s->worlds, &at)) != NULL;)
        world_writer_look(e->value);
}
