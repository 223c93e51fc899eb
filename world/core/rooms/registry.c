/* Owns worlds and rooms; their shards are those of shards.c. Every change ends in registry_changed
 * and in one call of the watch. */
#include "world/core/rooms/registry.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "world/core/nodes/nodes.h"
#include "world/core/rooms/shards.h"

enum { CHECK_MAX = 128 }; /* shards of a room whose whole index is checked */

static void room_free(struct room *room)
{
    assignment_end(room);
    assert(room->present.count == 0);
    map_clear(&room->present);
    candidates_clear(&room->candidates);
    reservations_clear(&room->promised);
    span_free(room->name);
    free(room);
}

void registry_remove_room(struct registry *r, struct room *room)
{
    bans_forget(r, room);
    r->watch.room_removed(r->watch.ctx, room);
    strangers_removed(room->world, room->by_stranger, room->name);
    map_remove(&room->world->rooms, room->name);
    map_remove(&room->world->room_serials, span_of(&room->serial, sizeof(room->serial)));
    list_remove(&room->node);
    r->room_count--;
    room_free(room);
}

static void world_free(struct registry *r, struct world *w)
{
    nodes_clear(r, w);
    findings_clear(&w->findings);
    round_clear(&w->round);
    retired_clear(&w->retired);
    LIST_EACH_SAFE (&w->shard_list, it, after) {
        registry_drop_shard(r, CONTAINER_OF(it, struct shard, node));
    }
    LIST_EACH_SAFE (&w->room_list, it, after) {
        struct room *room = CONTAINER_OF(it, struct room, node);
        room_clear_bans(r, room);
        room_free(room);
        r->room_count--;
    }
    servers_leave(r, w);
    map_clear(&w->shards);
    map_clear(&w->rooms);
    map_clear(&w->room_serials);
    map_clear(&w->shard_serials);
    feed_clear(&w->feed);
    event_ring_clear(&w->events);
    buf_clear(&w->overview.rest);
    history_end(&r->histories, w);
    span_free(w->id);
    free(w);
}

void registry_init(struct registry *r, const struct registry_watch *watch, struct rng *rng,
                   struct span url_template, struct moment now)
{
    *r = (struct registry){.watch = *watch, .rng = rng, .url_template = url_template};
    list_init(&r->world_list);
    list_init(&r->lost_crowds);
    servers_init(&r->servers);
    wheel_init(&r->wheel, now.mono_ms);
    histories_init(&r->histories, now);
}

void registry_clear(struct registry *r)
{
    LIST_EACH_SAFE (&r->world_list, it, after) {
        world_free(r, CONTAINER_OF(it, struct world, node));
    }
    servers_clear(&r->servers);
    map_clear(&r->worlds);
    *r = (struct registry){0};
}

struct world *registry_world(const struct registry *r, struct span id)
{
    return map_get(&r->worlds, id);
}

struct room *world_room(const struct world *w, struct span name)
{
    return w == NULL ? NULL : map_get(&w->rooms, name);
}

struct shard *world_shard(const struct world *w, struct span id)
{
    return w == NULL ? NULL : map_get(&w->shards, id);
}

struct room *world_room_of_serial(const struct world *w, uint64_t serial)
{
    return map_get(&w->room_serials, span_of(&serial, sizeof(serial)));
}

struct shard *world_shard_of_serial(const struct world *w, uint64_t serial)
{
    return map_get(&w->shard_serials, span_of(&serial, sizeof(serial)));
}

struct world *registry_make_world(struct registry *r, struct span id)
{
    struct world *w = registry_world(r, id);

    if (w != NULL)
        return w;
    w = xcalloc(1, sizeof(*w));
    w->id = span_copy(id);
    w->registry = r;
    w->epoch = r->epoch;
    w->id_ms = r->id_floor_ms;
    w->id_count = REGISTRY_SHARDS_PER_MS;
    list_init(&w->room_list);
    list_init(&w->shard_list);
    list_init(&w->heard_list);
    list_init(&w->nodes.list);
    retired_init(&w->retired);
    servers_enter(r, w);
    feed_init(&w->feed);
    map_add(&r->worlds, w->id, w);
    list_push(&r->world_list, &w->node);
    r->world_count++;
    return w;
}

static bool has_own_servers(const struct world *w)
{
    LIST_EACH (&w->servers, it) {
        if (CONTAINER_OF(it, struct world_server, in_world)->registered)
            return true;
    }
    return false;
}

static bool is_forgettable(const struct world *w)
{
    return list_empty(&w->room_list) && list_empty(&w->nodes.list) && w->retired.count == 0 &&
           w->strangers.count == 0 && w->feed.count == 0 && !event_ring_is_open(&w->events) &&
           !has_own_servers(w);
}

void registry_forget_world(struct registry *r, struct world *w)
{
    log_debug("world.forgotten", "world=%.*s", SPAN_ARG(w->id));
    map_remove(&r->worlds, w->id);
    list_remove(&w->node);
    r->world_count--;
    world_free(r, w);
}

void registry_forget_worlds(struct registry *r)
{
    LIST_EACH_SAFE (&r->world_list, it, after) {
        struct world *w = CONTAINER_OF(it, struct world, node);
        if (is_forgettable(w) && r->watch.idle(r->watch.ctx, w))
            registry_forget_world(r, w);
    }
}

struct room *registry_restore_room(struct registry *r, struct world *w, struct span name,
                                   const struct room_settings *settings)
{
    struct room *room = xcalloc(1, sizeof(*room));

    room->name = span_copy(name);
    room->world = w;
    room->settings = *settings;
    room->serial = ++r->last_serial;
    room_init_bans(room);
    map_add(&w->rooms, room->name, room);
    map_add(&w->room_serials, span_of(&room->serial, sizeof(room->serial)), room);
    list_push(&w->room_list, &room->node);
    r->room_count++;
    w->change++;
    assignment_init(room);
    history_begin(&r->histories, w);
    registry_changed(r, room, NULL);
    return room;
}

struct room *registry_add_room(struct registry *r, struct world *w, struct span name,
                               const struct room_settings *settings)
{
    struct room *room = registry_restore_room(r, w, name, settings);
    unsigned fields = settings->max_shards == 0 ? ROOM_FIELDS & ~(unsigned)ROOM_MAX_SHARDS
                                                : (unsigned)ROOM_FIELDS;

    assignment_begin(r, room);
    r->watch.room_changed(r->watch.ctx, room, fields);
    return room;
}

void registry_set_room(struct registry *r, struct room *room, const struct room_settings *settings)
{
    const struct room_settings *old = &room->settings;
    unsigned fields = 0;

    fields |= old->strategy != settings->strategy ? ROOM_STRATEGY : 0u;
    fields |= old->is_public != settings->is_public ? ROOM_PUBLIC : 0u;
    fields |= old->max_players != settings->max_players ? ROOM_MAX_PLAYERS : 0u;
    fields |= old->min_shards != settings->min_shards ? ROOM_MIN_SHARDS : 0u;
    fields |= old->max_shards != settings->max_shards ? ROOM_MAX_SHARDS : 0u;
    fields |= old->leaving != settings->leaving ? ROOM_LEAVING : 0u;
    room->settings = *settings;
    if (fields & ROOM_PUBLIC)
        room_order_changed(r, room);
    if (fields != 0)
        r->watch.room_changed(r->watch.ctx, room, fields);
}

/* The index of a small room holds exactly the selectable. */
static void check_selectable(const struct room *room)
{
    const struct candidates *c = &room->candidates;

    if (room_shards(room) > CHECK_MAX)
        return;
    for (uint32_t at = 0; at < c->len; at++) {
        if (c->slots[at].who != NULL)
            assert(c->slots[at].selectable ==
                   shard_is_selectable(shard_of_candidate(c->slots[at].who)));
    }
}

void registry_check(const struct registry *r, const struct room *room, const struct shard *touched)
{
    uint32_t sum = 0;

    for (int status = 0; status < SHARD_STATUS_COUNT; status++)
        sum += room->by_status[status];
    assert(sum == room_shards(room));
    assert(candidates_count(&room->candidates) <= room->by_status[SHARD_ACTIVE]);
    assert(r->shard_count >= sum && r->room_count > 0);
    assert(map_get(&room->world->rooms, room->name) == room);
    reservations_check(&room->promised);
    tally_check(room);
    if (touched != NULL)
        seats_check(touched);
    if (touched != NULL && touched->owner != NULL)
        node_check_sums(touched->owner);
    check_selectable(room);
    candidates_check(&room->candidates, touched == NULL ? NULL : &touched->candidate);
}
