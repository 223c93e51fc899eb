/* Ties the parts together: what the registry tells goes to feed and store, time goes to feeds and
 * sweep. Requests are api.c's. */
#include "world/core/core.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/proto/shard_id.h"
#include "world/core/api/call.h"
#include "world/core/api/world_path.h"
#include "world/core/nodes/nodes.h"
#include "world/core/record.h"
#include "world/core/rooms/silence.h"

struct admin {
    struct world *world; /* worlds live as long as core */
    struct handle socket;
};

/* A shard's heartbeats come again with its next report, and its count is stored now and then; the
 * rest must last. */
static const unsigned durable_fields =
    (SHARD_FIELDS & ~(unsigned)(SHARD_OPEN | SHARD_HEARTBEAT)) | SHARD_DRAIN | SHARD_OWNER;

/* When counts are to be stored next; the list is in the order of time. */
static int64_t counts_due_ms(const struct core *core)
{
    struct list *first = list_first(&core->counts);
    const struct shard *shard;

    if (first == NULL)
        return INT64_MAX;
    shard = CONTAINER_OF(first, struct shard, count_node);
    return shard->count_ms > core->counts_ms ? shard->count_ms : core->counts_ms;
}

void core_wake(struct core *core)
{
    int64_t due_ms = feed_hub_due_ms(&core->feeds);

    if (events_due_ms(&core->events) < due_ms)
        due_ms = events_due_ms(&core->events);
    if (core->sweep_ms < due_ms)
        due_ms = core->sweep_ms;
    if (counts_due_ms(core) < due_ms)
        due_ms = counts_due_ms(core);
    if (wheel_next_ms(&core->registry.wheel) < due_ms)
        due_ms = wheel_next_ms(&core->registry.wheel);
    if (core->hush_ms < due_ms)
        due_ms = core->hush_ms;
    if (core->registry.node_count > 0 && core->nodes_ms < due_ms)
        due_ms = core->nodes_ms;
    if (core->registry.servers.count > 0 && core->servers_ms < due_ms)
        due_ms = core->servers_ms;
    if (core->park.count > 0 && core->now.mono_ms + PARK_LOOK_MS < due_ms)
        due_ms = core->now.mono_ms + PARK_LOOK_MS;
    core->port->ticker.wake(core->port->ticker.ctx, due_ms);
}

static void put(struct core *core, enum record_kind kind, const struct world *world,
                struct span key)
{
    struct record record = {
        .kind = kind, .world = world->id, .key = key, .value = buf_span(&core->value)};

    core->port->store.put(core->port->store.ctx, &record);
}

static void put_shard(struct core *core, struct shard *shard)
{
    buf_reset(&core->value);
    record_add_shard(&core->value, shard);
    put(core, RECORD_SHARD, shard->room->world, shard->id);
    list_remove(&shard->count_node);
}

/* The count is stored later, with those of others. */
static void put_count_later(struct core *core, struct shard *shard)
{
    if (list_linked(&shard->count_node))
        return;
    shard->count_ms = core->now.mono_ms + CORE_COUNTS_MS;
    list_push(&core->counts, &shard->count_node);
}

/* Stores the counts that are due, so many at once that the turn stays short. */
static void put_counts(struct core *core)
{
    int64_t now = core->now.mono_ms;

    for (int n = 0; n < CORE_COUNTS_MAX && counts_due_ms(core) <= now; n++)
        put_shard(core, CONTAINER_OF(list_first(&core->counts), struct shard, count_node));
    core->counts_ms = now + CORE_COUNTS_GAP_MS;
}

static void room_changed(void *ctx, struct room *room, unsigned fields)
{
    struct core *core = ctx;

    buf_reset(&core->value);
    record_add_room(&core->value, room);
    put(core, RECORD_ROOM, room->world, room->name);
    feed_room_changed(&core->feeds, room, fields, core->now.mono_ms);
    events_room_changed(&core->events, room);
    core_wake(core);
}

static void room_removed(void *ctx, struct room *room)
{
    struct core *core = ctx;

    core->port->store.remove(core->port->store.ctx, RECORD_ROOM, room->world->id, room->name);
    feed_room_removed(&core->feeds, room, core->now.mono_ms);
    events_room_removed(&core->events, room);
    core_wake(core);
}

static void tell_progress(struct timer *timer, int64_t now)
{
    struct shard *s = CONTAINER_OF(timer, struct shard, progress);
    struct core *core = CONTAINER_OF(s->room->world->registry, struct core, registry);

    (void)now;
    events_progress(&core->events, s);
}

static void shard_changed(void *ctx, struct shard *shard, unsigned fields)
{
    struct core *core = ctx;

    if (fields & SHARD_ROOM)
        core->stats.shards_created++;
    if (fields & durable_fields)
        put_shard(core, shard);
    else if (fields & SHARD_OPEN)
        put_count_later(core, shard);
    if (fields & SHARD_FIELDS)
        feed_shard_changed(&core->feeds, shard, fields & SHARD_FIELDS, core->now.mono_ms);
    shard->progress.fire = tell_progress;
    events_shard_changed(&core->events, shard, fields, core->now);
    core_wake(core);
}

static void shard_removed(void *ctx, struct shard *shard)
{
    struct core *core = ctx;

    core->port->store.remove(core->port->store.ctx, RECORD_SHARD, shard->room->world->id,
                             shard->id);
    feed_shard_removed(&core->feeds, shard, core->now.mono_ms);
    events_shard_removed(&core->events, shard);
    retired_add(&core->registry, shard->room->world, shard->id, core->now.wall_ms + RETIRED_MS);
    core_wake(core);
}

static void keep(void *ctx, enum record_kind kind, const struct world *w, struct span key,
                 struct span value)
{
    struct core *core = ctx;
    struct record record = {.kind = kind, .world = w->id, .key = key, .value = value};

    core->port->store.put(core->port->store.ctx, &record);
}

static void forget(void *ctx, enum record_kind kind, const struct world *w, struct span key)
{
    struct core *core = ctx;

    core->port->store.remove(core->port->store.ctx, kind, w->id, key);
}

static void probe(void *ctx, struct handle server, struct span origin)
{
    struct core *core = ctx;

    core->port->probe.probe(core->port->probe.ctx, server, origin);
}

static void node_changed(void *ctx, const struct node *n)
{
    struct core *core = ctx;

    events_node_changed(&core->events, n, core->now);
}

static void server_changed(void *ctx, const struct world_server *at)
{
    struct core *core = ctx;

    events_server_changed(&core->events, at);
}

static void timer_set(void *ctx)
{
    core_wake(ctx);
}

void core_init(struct core *core, const struct port *port, const struct core_settings *settings,
               const struct rng *rng, struct moment now)
{
    struct registry_watch watch = {
        .ctx = core,
        .room_changed = room_changed,
        .room_removed = room_removed,
        .shard_changed = shard_changed,
        .shard_removed = shard_removed,
        .timer_set = timer_set,
        .node_changed = node_changed,
        .server_changed = server_changed,
        .keep = keep,
        .forget = forget,
        .probe = probe,
    };

    *core = (struct core){
        .port = port,
        .settings = settings,
        .authz = {.shard_secret = settings->shard_secret, .keys = settings->keys},
        .rng = *rng,
        .now = now,
        .sweep_ms = now.mono_ms + CORE_SWEEP_MS,
        .hush_ms = now.mono_ms + CORE_HUSH_MS,
    };
    park_init(&core->park);
    list_init(&core->counts);
    registry_init(&core->registry, &watch, &core->rng, settings->url_template, now.mono_ms);
    core->registry.seat_ttl_ms = settings->seat_ttl_ms;
    core->registry.id_floor_ms = settings->id_floor_ms;
    core->registry.max_room_shards = settings->max_room_shards;
    core->registry.nodes_packed = settings->nodes_packed;
    core->registry.epoch = settings->epoch > 0 ? settings->epoch : now.wall_ms;
    core->registry.servers.failover_ms = settings->failover_ms;
    servers_configure(&core->registry, settings->room_servers);
    feed_hub_init(&core->feeds, &port->feed);
    events_init(&core->events, &port->stream);
    core_wake(core);
}

static void free_items(struct slots *s)
{
    for (uint32_t i = 0; i < s->used; i++)
        free(s->slots[i].item);
    slots_clear(s);
}

void core_clear(struct core *core)
{
    park_clear(&core->park);
    registry_clear(&core->registry);
    feed_hub_clear(&core->feeds);
    events_clear(&core->events);
    authz_clear(&core->authz);
    free_items(&core->admins);
    free_items(&core->pending);
    buf_clear(&core->path);
    buf_clear(&core->text);
    buf_clear(&core->headers);
    buf_clear(&core->message);
    buf_clear(&core->value);
}

void core_store_counts(struct core *core)
{
    for (struct list *it; (it = list_first(&core->counts)) != NULL;)
        put_shard(core, CONTAINER_OF(it, struct shard, count_node));
}

void core_tick(struct core *core, struct moment now)
{
    core->now = now;
    wheel_advance(&core->registry.wheel, now.mono_ms);
    feed_hub_advance(&core->feeds, now.mono_ms);
    events_advance(&core->events, now.mono_ms);
    if (counts_due_ms(core) <= now.mono_ms)
        put_counts(core);
    if (core->registry.node_count > 0 && now.mono_ms >= core->nodes_ms) {
        nodes_tick(&core->registry, now);
        core->nodes_ms = now.mono_ms + NODES_TICK_MS;
    }
    if (core->registry.servers.count > 0 && now.mono_ms >= core->servers_ms) {
        servers_tick(&core->registry, now);
        assignments_tick(&core->registry, now);
        servers_tidy(&core->registry);
        core->servers_ms = now.mono_ms + SERVERS_TICK_MS;
    }
    if (core->park.count > 0)
        park_advance(core);
    if (now.mono_ms >= core->hush_ms) {
        registry_hush(&core->registry, now);
        core->hush_ms = now.mono_ms + CORE_HUSH_MS;
    }
    if (now.mono_ms >= core->sweep_ms) {
        size_t expired = registry_expire(&core->registry, now);
        if (core->park.count == 0) /* who is parked waits for a world */
            registry_forget_worlds(&core->registry);
        core->stats.shards_expired += expired;
        core->sweep_ms = now.mono_ms + CORE_SWEEP_MS;
        if (expired > 0)
            log_info("shards.expired", "count=%zu", expired);
    }
    core_wake(core);
}

void core_stream_gone(struct core *core, struct handle stream)
{
    events_leave(&core->events, stream);
}

void core_stored(struct core *core, uint64_t token, enum err e)
{
    struct handle handle = {.slot = (uint32_t)token, .gen = (uint32_t)(token >> 32)};
    struct pending *pending = slots_remove(&core->pending, handle);

    if (pending == NULL)
        return;
    call_stored(core, pending, e);
    free(pending);
}

void core_probed(struct core *core, struct handle server, bool good, struct moment now)
{
    core->now = now;
    servers_probed(&core->registry, server, good, now);
    core_wake(core);
}

bool core_feed_wants(struct core *core, struct span path)
{
    struct world_path at;

    return world_path_parse(path, &core->path, &at) == ERR_OK;
}

static enum feed_verdict refuse_feed(struct core *core, enum refusal why, enum feed_verdict verdict)
{
    core->stats.refusals[why]++;
    log_debug("feed.refused", "reason=%s", refusal_name(why));
    return verdict;
}

enum feed_verdict core_feed_open(struct core *core, const struct feed_request *request,
                                 struct handle *handle, struct moment now)
{
    struct world_path at;
    struct admin *admin;
    char id[FEED_ID_LEN];
    enum token_scope scope;

    core->now = now;
    if (world_path_parse(request->path, &core->path, &at) != ERR_OK || !world_id_is_valid(at.world))
        return refuse_feed(core, REFUSAL_FEED_WORLD_ID, FEED_CLOSE);
    if (request->names_shard && !authz_has_secret(&core->authz, &request->credentials))
        return refuse_feed(core, REFUSAL_FEED_SHARD, FEED_CLOSE);
    if (core->port->owner.find(core->port->owner.ctx, at.world) != OWNER_US)
        return refuse_feed(core, REFUSAL_NOT_OWNER, FEED_CLOSE);
    if (request->outside || authz_check(&core->authz, &request->credentials, at.world,
                                        now.wall_ms / 1000, &scope) != ERR_OK)
        return refuse_feed(core, REFUSAL_FEED_DENIED, FEED_SILENT);

    admin = xcalloc(1, sizeof(*admin));
    *admin = (struct admin){.world = registry_make_world(&core->registry, at.world),
                            .socket = request->socket};
    *handle = slots_add(&core->admins, admin);
    rng_alnum(&core->rng, id, sizeof(id));
    feed_join(&core->feeds, admin->world, admin->socket, id);
    return FEED_ADMIN;
}

void core_feed_close(struct core *core, struct handle handle)
{
    struct admin *admin = slots_remove(&core->admins, handle);

    if (admin == NULL)
        return;
    feed_leave(admin->world, admin->socket);
    free(admin);
}
