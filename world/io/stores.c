/* Chooses a store by the settings. */
#include "world/io/stores.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "world/io/owner_local.h"

static bool refuse(struct buf *why)
{
    (void)fprintf(stderr, "terrane-world: DATA_DIR: %.*s\n", SPAN_ARG(buf_span(why)));
    buf_clear(why);
    return false;
}

static bool open_sqlite(struct stores *s, struct loop *l, const struct settings *settings,
                        struct core_settings *out)
{
    const struct store_sqlite_settings sqlite = {
        .dir = settings->data_dir,
        .sync_commits = settings->store_sync == STORE_SYNC_FULL,
        .schema = &store_schema,
    };
    struct buf why = {0};

    if (store_sqlite_open(&s->sqlite, l, s->core, &sqlite, &why) != ERR_OK)
        return refuse(&why);
    s->kind = STORES_SQLITE;
    out->store = "sqlite";
    out->epoch = s->sqlite.epoch;
    out->id_floor_ms = s->sqlite.id_floor_ms;
    return true;
}

static void open_memory(struct stores *s, struct loop *l, struct core_settings *out)
{
    log_warn("store.memory", "kept=nothing setting=DATA_DIR");
    store_memory_init(&s->memory, l, s->core);
    out->epoch = clock_wall_ms();
}

/* Worlds and their epochs are Redis' to give. */
static void open_redis(struct stores *s, struct loop *l, const struct settings *settings,
                       struct core_settings *out)
{
    s->cluster_settings = (struct cluster_settings){
        .url = span_str(settings->redis_url),
        .prefix = span_str(settings->redis_prefix),
        .secrets = out->secrets,
        .redis_timeout_ms = settings->redis_timeout_ms,
        .replicas = settings->redis_wait,
        .ttl_ms = settings->lease_ttl_ms,
        .wait_ms = settings->world_wait_ms,
    };
    s->cluster = cluster_new(l, s->core, &s->cluster_settings);
    s->kind = STORES_REDIS;
    out->epoch = clock_wall_ms();
    out->process = cluster_id(s->cluster);
    out->store = "redis";
}

bool stores_open(struct stores *s, struct loop *l, struct core *core,
                 const struct settings *settings, struct core_settings *out)
{
    *s = (struct stores){.core = core};
    if (*settings->data_dir != '\0')
        return open_sqlite(s, l, settings, out);
    if (*settings->redis_url != '\0')
        open_redis(s, l, settings, out);
    else
        open_memory(s, l, out);
    return true;
}

struct store_port stores_port(struct stores *s)
{
    switch (s->kind) {
    case STORES_MEMORY:
        return store_memory_port(&s->memory);
    case STORES_SQLITE:
        return store_sqlite_port(&s->sqlite);
    case STORES_REDIS:
        break;
    }
    return cluster_store_port(s->cluster);
}

struct owner_port stores_owner_port(struct stores *s)
{
    return s->cluster == NULL ? owner_local_port() : cluster_owner_port(s->cluster);
}

const struct store_stats *stores_stats(const struct stores *s)
{
    switch (s->kind) {
    case STORES_MEMORY:
        break;
    case STORES_SQLITE:
        return &s->sqlite.behind.stats;
    case STORES_REDIS:
        return &cluster_stats(s->cluster)->store;
    }
    return NULL;
}

bool stores_load(struct stores *s)
{
    const struct registry *r = &s->core->registry;
    struct buf why = {0};

    if (s->kind == STORES_REDIS)
        return true; /* world by world, as they are asked for */
    if (s->kind == STORES_SQLITE && store_sqlite_load(&s->sqlite, &why) != ERR_OK)
        return refuse(&why);
    log_info("store.loaded", "worlds=%zu rooms=%zu shards=%zu", r->world_count, r->room_count,
             r->shard_count);
    return true;
}

bool stores_close(struct stores *s)
{
    bool kept;

    if (s->kind == STORES_REDIS) {
        cluster_free(s->cluster);
        return true;
    }
    core_store_counts(s->core);
    kept = store_sqlite_close(&s->sqlite) == ERR_OK;
    store_memory_clear(&s->memory);
    return kept;
}
