/* Ties the parts together: what the registry tells goes to feed and store, time goes to feeds and
 * sweep. Requests are api.c's. */
#include "world/core/core.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "world/core/api/call.h"
#include "world/core/findings/world_findings.h"
#include "world/core/keep.h"
#include "world/core/nodes/nodes.h"
#include "world/core/rooms/silence.h"

/* A shard's heartbeats come again with its next report, and its count is stored now and then; the
 * rest must last. */
static const unsigned durable_fields =
    (SHARD_FIELDS & ~(unsigned)(SHARD_OPEN | SHARD_HEARTBEAT)) | SHARD_DRAIN | SHARD_OWNER;

static bool can_find(const struct core *core)
{
    return core->registry.node_count > 0 || core->registry.servers.count > 0 ||
           core->impostors.count > 0;
}

void core_wake(struct core *core)
{
    int64_t due_ms = feed_hub_due_ms(&core->feeds);

    if (events_due_ms(&core->events) < due_ms)
        due_ms = events_due_ms(&core->events);
    if (core->sweep_ms < due_ms)
        due_ms = core->sweep_ms;
    if (keep_due_ms(core) < due_ms)
        due_ms = keep_due_ms(core);
    if (wheel_next_ms(&core->registry.wheel) < due_ms)
        due_ms = wheel_next_ms(&core->registry.wheel);
    if (core->hush_ms < due_ms)
        due_ms = core->hush_ms;
    if (core->registry.node_count > 0 && core->nodes_ms < due_ms)
        due_ms = core->nodes_ms;
    if (core->registry.servers.count > 0 && core->servers_ms < due_ms)
        due_ms = core->servers_ms;
    if (can_find(core) && core->findings_ms < due_ms)
        due_ms = core->findings_ms;
    if (core->park.count > 0 && core->now.mono_ms + PARK_LOOK_MS < due_ms)
        due_ms = core->now.mono_ms + PARK_LOOK_MS;
    core->port->ticker.wake(core->port->ticker.ctx, due_ms);
}

static void room_changed(void *ctx, struct room *room, unsigned fields)
{
    struct core *core = ctx;

    keep_room(core, room);
    room->world->change++;
    feed_room_changed(&core->feeds, room, fields, core->now.mono_ms);
    events_room_changed(&core->events, room);
    core_wake(core);
}

static void room_removed(void *ctx, struct room *room)
{
    struct core *core = ctx;

    core->port->store.remove(core->port->store.ctx, RECORD_ROOM, room->world->id, room->name);
    room->world->change++;
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
        keep_shard(core, shard);
    else if (fields & SHARD_OPEN)
        keep_count_later(core, shard);
    if (fields & SHARD_FIELDS)
        feed_shard_changed(&core->feeds, shard, fields & SHARD_FIELDS, core->now.mono_ms);
    shard->room->world->change++;
    shard->progress.fire = tell_progress;
    events_shard_changed(&core->events, shard, fields, core->now);
    core_wake(core);
}

static void shard_removed(void *ctx, struct shard *shard)
{
    struct core *core = ctx;

    core->port->store.remove(core->port->store.ctx, RECORD_SHARD, shard->room->world->id,
                             shard->id);
    shard->room->world->change++;
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

    n->world->change++;
    events_node_changed(&core->events, n, core->now);
}

static void server_changed(void *ctx, const struct world_server *at)
{
    struct core *core = ctx;

    at->world->change++;
    events_server_changed(&core->events, at);
}

static bool outdated(void *ctx, const struct world *w, int64_t seen)
{
    const struct owner_port *owner = &((struct core *)ctx)->port->owner;

    return owner->outdated(owner->ctx, w->id, seen);
}

static bool idle(void *ctx, const struct world *w)
{
    const struct owner_port *owner = &((struct core *)ctx)->port->owner;

    return owner->idle(owner->ctx, w->id);
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
        .outdated = outdated,
        .idle = idle,
    };

    *core = (struct core){
        .port = port,
        .settings = settings,
        .authz = {.secrets = settings->secrets, .keys = settings->keys},
        .rng = *rng,
        .now = now,
        .started_ms = now.wall_ms,
        .sweep_ms = now.mono_ms + CORE_SWEEP_MS,
        .hush_ms = now.mono_ms + CORE_HUSH_MS,
    };
    park_init(&core->park);
    list_init(&core->counts);
    registry_init(&core->registry, &watch, &core->rng, settings->url_template, now);
    core->registry.seat_ttl_ms = settings->seat_ttl_ms;
    core->registry.id_floor_ms = settings->id_floor_ms;
    core->registry.max_room_shards = settings->max_room_shards;
    core->registry.nodes_packed = settings->nodes_packed;
    core->registry.epoch = settings->epoch > 0 ? settings->epoch : now.wall_ms;
    core->registry.beat_ms = settings->beat_ms > 0 ? settings->beat_ms : NODES_BEAT_MS;
    core->registry.servers.failover_ms = settings->failover_ms;
    servers_configure(&core->registry, settings->room_servers);
    feed_hub_init(&core->feeds, &port->feed);
    core->pulse =
        (struct pulse){.id = settings->process, .stats = &core->stats, .findings = &core->findings};
    events_init(&core->events, &port->stream, &core->pulse);
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
    findings_clear(&core->findings);
    impostors_clear(&core->impostors);
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

void core_note_lag(struct core *core, int64_t lag_ms)
{
    pulse_note(&core->pulse, lag_ms);
}

/* What is done every 5 s. In even steps, unless the process was held up for longer. */
static void hush(struct core *core)
{
    static_assert((int)CORE_HUSH_MS == (int)HISTORY_STEP_MS, "one tick for both");

    registry_hush(&core->registry, core->now);
    histories_step(&core->registry.histories, pulse_step(&core->pulse), core->now);
    core->hush_ms += CORE_HUSH_MS;
    if (core->hush_ms <= core->now.mono_ms)
        core->hush_ms = core->now.mono_ms + CORE_HUSH_MS;
}

void core_tick(struct core *core, struct moment now)
{
    core->now = now;
    wheel_advance(&core->registry.wheel, now.mono_ms);
    feed_hub_advance(&core->feeds, now.mono_ms);
    events_advance(&core->events, now);
    if (keep_due_ms(core) <= now.mono_ms)
        keep_counts(core);
    if (core->registry.node_count > 0 && now.mono_ms >= core->nodes_ms) {
        nodes_tick(&core->registry, now);
        core->nodes_ms = now.mono_ms + nodes_tick_ms(&core->registry);
    }
    if (core->registry.servers.count > 0 && now.mono_ms >= core->servers_ms) {
        servers_tick(&core->registry, now);
        assignments_tick(&core->registry, now);
        servers_tidy(&core->registry);
        core->servers_ms = now.mono_ms + SERVERS_TICK_MS;
    }
    if (can_find(core) && now.mono_ms >= core->findings_ms) {
        world_findings_tick(&core->registry, now);
        impostors_tick(core, now);
        core->findings_ms = now.mono_ms + FINDINGS_TICK_MS;
    }
    if (core->park.count > 0)
        park_advance(core);
    if (now.mono_ms >= core->hush_ms)
        hush(core);
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

size_t core_findings(const struct core *core, enum finding_check check)
{
    size_t count = findings_count(&core->findings, check);

    LIST_EACH (&core->registry.world_list, it)
        count += findings_count(&CONTAINER_OF(it, struct world, node)->findings, check);
    return count;
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
