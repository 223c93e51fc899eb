/* Owns worlds, rooms and shards. Every change ends in registry_check (when TERRANE_CHECK is
 * defined) and in one call of the watch. */
#include "world/core/rooms/registry.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/stable_hash.h"
#include "common/proto/shard_id.h"
#include "world/core/nodes/nodes.h"
#include "world/core/rooms/url_template.h"

enum { CHECK_MAX = 128 }; /* shards of a room whose whole index is checked */

const char *const shard_status_names[SHARD_STATUS_COUNT + 1] = {
    [SHARD_ACTIVE] = "active",
    [SHARD_MAINTENANCE] = "maintenance",
    [SHARD_DRAINING] = "draining",
};

static void check(const struct registry *r, const struct room *room, const struct shard *touched)
{
#ifdef TERRANE_CHECK
    registry_check(r, room, touched);
#else
    (void)r;
    (void)room;
    (void)touched;
#endif
}

static struct span span_copy(struct span s)
{
    return span_of(xspandup(s), s.len);
}

static void span_free(struct span s)
{
    free((void *)(uintptr_t)s.ptr);
}

/* An id that the world has never given out: within one millisecond n runs through all its values
 * from a random start, after the last one the millisecond steps. */
static void next_id(struct registry *r, struct room *room, struct moment now, struct buf *out)
{
    struct world *w = room->world;

    if (now.wall_ms > w->id_ms || w->id_count == REGISTRY_SHARDS_PER_MS) {
        w->id_ms = now.wall_ms > w->id_ms ? now.wall_ms : w->id_ms + 1;
        w->id_first = (uint32_t)rng_below(r->rng, REGISTRY_SHARDS_PER_MS);
        w->id_count = 0;
    }
    shard_id_add(out, room->name, w->id, w->id_ms,
                 (w->id_first + w->id_count++) % REGISTRY_SHARDS_PER_MS);
}

/* The only place that moves a shard's status: any may follow any. */
static void shard_go(struct shard *s, enum shard_status to)
{
    s->room->by_status[s->status]--;
    s->status = to;
    s->room->by_status[to]++;
    if (to != SHARD_DRAINING)
        s->drain = (struct order_drain){0};
}

static void shard_free(struct shard *s)
{
    span_free(s->id);
    span_free(s->url);
    free(s);
}

static void room_free(struct room *room)
{
    assignment_end(room);
    candidates_clear(&room->candidates);
    reservations_clear(&room->promised);
    span_free(room->name);
    free(room);
}

static void remove_room(struct registry *r, struct room *room)
{
    bans_forget(r, room);
    r->watch.room_removed(r->watch.ctx, room);
    strangers_removed(room->world, room->by_stranger);
    map_remove(&room->world->rooms, room->name);
    list_remove(&room->node);
    r->room_count--;
    room_free(room);
}

/* The room goes with its last shard when it is leaving. */
static void remove_shard(struct registry *r, struct shard *s)
{
    struct room *room = s->room;

    r->watch.shard_removed(r->watch.ctx, s);
    seats_clear(r, s);
    wheel_cancel(&r->wheel, &s->progress);
    strangers_removed(room->world, s->by_stranger);
    shard_leave_nodes(r, s);
    map_remove(&room->world->shards, s->id);
    list_remove(&s->node);
    list_remove(&s->heard_node);
    list_remove(&s->count_node);
    candidates_remove(&room->candidates, &s->candidate);
    room->by_status[s->status]--;
    r->shard_count--;
    shard_free(s);
    check(r, room, NULL);
    if (room->settings.leaving && room_shards(room) == 0)
        remove_room(r, room);
}

static void world_free(struct registry *r, struct world *w)
{
    nodes_clear(r, w);
    retired_clear(&w->retired);
    LIST_EACH_SAFE (&w->shard_list, it, after) {
        struct shard *s = CONTAINER_OF(it, struct shard, node);
        seats_clear(r, s);
        wheel_cancel(&r->wheel, &s->progress);
        shard_free(s);
    }
    LIST_EACH_SAFE (&w->room_list, it, after) {
        struct room *room = CONTAINER_OF(it, struct room, node);
        room_clear_bans(r, room);
        room_free(room);
    }
    servers_leave(r, w);
    map_clear(&w->shards);
    map_clear(&w->rooms);
    feed_clear(&w->feed);
    event_ring_clear(&w->events);
    span_free(w->id);
    free(w);
}

void registry_init(struct registry *r, const struct registry_watch *watch, struct rng *rng,
                   struct span url_template, int64_t now_ms)
{
    *r = (struct registry){.watch = *watch, .rng = rng, .url_template = url_template};
    list_init(&r->world_list);
    servers_init(&r->servers);
    wheel_init(&r->wheel, now_ms);
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

struct world *registry_make_world(struct registry *r, struct span id)
{
    struct world *w = registry_world(r, id);

    if (w != NULL)
        return w;
    w = xcalloc(1, sizeof(*w));
    w->id = span_copy(id);
    w->registry = r;
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

void registry_forget_worlds(struct registry *r)
{
    LIST_EACH_SAFE (&r->world_list, it, after) {
        struct world *w = CONTAINER_OF(it, struct world, node);
        if (!is_forgettable(w))
            continue;
        log_debug("world.forgotten", "world=%.*s", SPAN_ARG(w->id));
        map_remove(&r->worlds, w->id);
        list_remove(&w->node);
        r->world_count--;
        world_free(r, w);
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
    list_push(&w->room_list, &room->node);
    r->room_count++;
    assignment_init(room);
    check(r, room, NULL);
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
    if (fields != 0)
        r->watch.room_changed(r->watch.ctx, room, fields);
}

static void set_drain(struct shard *s, const struct order_drain *drain, int64_t until_ms,
                      struct moment now)
{
    s->drain = *drain;
    s->drain_until_ms = until_ms;
    s->drain_due_ms = now.mono_ms + (until_ms - now.wall_ms);
}

static struct shard *make_shard(struct registry *r, struct room *room,
                                const struct shard_restored *as, struct moment now)
{
    struct shard *s = xcalloc(1, sizeof(*s));

    list_init(&s->holdings);
    s->id = span_copy(as->id);
    s->url = span_copy(as->url);
    s->room = room;
    s->open = as->open;
    s->max = as->max;
    s->status = as->status;
    s->serial = ++r->last_serial;
    set_drain(s, &as->drain, as->drain_until_ms, now);
    s->heartbeat_ms = now.wall_ms;
    s->heard_ms = now.mono_ms;
    room->by_status[s->status]++;
    map_add(&room->world->shards, s->id, s);
    list_push(&room->world->shard_list, &s->node);
    list_push(&room->world->heard_list, &s->heard_node);
    s->candidate.name = stable_hash(s->id);
    candidates_add(&room->candidates, &s->candidate, shard_used(s), s->max, shard_is_selectable(s));
    r->shard_count++;
    check(r, room, s);
    return s;
}

struct shard *registry_add_shard(struct registry *r, struct room *room, struct span url_template,
                                 uint64_t max, struct moment now)
{
    struct node *owner = nodes_pick(room->world, now);
    struct buf id = {0}, url = {0};
    struct shard *s;

    next_id(r, room, now, &id);
    url_template_fill(&url, url_template.len == 0 ? r->url_template : url_template, buf_span(&id),
                      room->name);
    s = make_shard(r, room,
                   &(struct shard_restored){
                       .id = buf_span(&id),
                       .url = buf_span(&url),
                       .max = max == 0 ? room->settings.max_players : max,
                       .status = SHARD_ACTIVE,
                   },
                   now);
    buf_clear(&id);
    buf_clear(&url);
    if (owner != NULL)
        shard_restore_owner(r, s, owner);
    r->watch.shard_changed(r->watch.ctx, s, SHARD_FIELDS);
    return s;
}

struct shard *registry_restore_shard(struct registry *r, struct room *room,
                                     const struct shard_restored *stored, struct moment now)
{
    struct world *w = room->world;
    int64_t ms = shard_id_ms(stored->id);
    struct shard *s;

    if (ms >= w->id_ms) {
        w->id_ms = ms;
        w->id_count = REGISTRY_SHARDS_PER_MS; /* which of that time were given out is not known */
    }
    s = make_shard(r, room, stored, now);
    s->told = stored->open;
    s->is_told = true;
    if (stored->node.len > 0)
        shard_restore_owner(r, s, nodes_expect(r, w, stored->node, now));
    return s;
}

/* A count that was told, not added up from what nodes hold. */
static void take_told(struct shard *s, uint64_t open, struct moment now)
{
    s->told = open;
    s->is_told = true;
    s->reported = true;
    s->quiet = false;
    rhythm_note(&s->rhythm, now.mono_ms - s->heard_ms);
    s->heard_ms = now.mono_ms;
    if (s->owner != NULL)
        return;
    list_remove(&s->heard_node);
    list_push(&s->room->world->heard_list, &s->heard_node);
}

bool registry_report(struct registry *r, struct shard *shard, uint64_t open,
                     enum shard_status status, struct moment now)
{
    unsigned fields = 0;

    if (status == SHARD_STATUS_COUNT)
        status = shard->status;
    fields |= shard->open != open ? SHARD_OPEN : 0u;
    fields |= shard->status != status ? SHARD_STATUS : 0u;
    fields |= shard->heartbeat_ms != now.wall_ms ? SHARD_HEARTBEAT : 0u;
    if (shard->owner == NULL && open > shard->open)
        seats_admit(r, shard, open - shard->open, now);
    shard->open = open;
    shard->heartbeat_ms = now.wall_ms;
    take_told(shard, open, now);
    if (fields & SHARD_STATUS)
        shard_order_changed(r, shard);
    shard_go(shard, status);
    registry_reindex(r, shard);
    if (fields != 0)
        r->watch.shard_changed(r->watch.ctx, shard, fields);
    return registry_let_go(r, shard);
}

static bool drain_eq(const struct order_drain *a, const struct order_drain *b)
{
    return a->deadline_ms == b->deadline_ms && a->rate == b->rate &&
           a->retry_min_ms == b->retry_min_ms && a->retry_max_ms == b->retry_max_ms;
}

bool registry_set_status(struct registry *r, struct shard *s, enum shard_status status,
                         const struct order_drain *drain, struct moment now)
{
    unsigned fields = s->status != status ? SHARD_STATUS : 0u;

    shard_go(s, status);
    if (status == SHARD_DRAINING && !drain_eq(&s->drain, drain)) {
        set_drain(s, drain, now.wall_ms + drain->deadline_ms, now);
        fields |= SHARD_DRAIN;
    }
    if (fields != 0)
        shard_order_changed(r, s);
    registry_reindex(r, s);
    if (fields != 0)
        r->watch.shard_changed(r->watch.ctx, s, fields);
    return registry_let_go(r, s);
}

struct order_drain shard_drain(const struct shard *s, struct moment now)
{
    struct order_drain drain = s->drain;

    if (drain.deadline_ms > 0)
        drain.deadline_ms = s->drain_due_ms > now.mono_ms ? s->drain_due_ms - now.mono_ms : 1;
    return drain;
}

void registry_set_max(struct registry *r, struct shard *s, uint64_t max)
{
    if (s->max == max)
        return;
    s->max = max;
    shard_order_changed(r, s);
    registry_reindex(r, s);
    r->watch.shard_changed(r->watch.ctx, s, SHARD_MAX);
}

bool registry_leave_room(struct registry *r, struct room *room, const struct order_drain *drain,
                         struct moment now)
{
    struct room_settings settings = room->settings;
    uint32_t at = 0, left = room_shards(room);
    struct shard **shards = xreallocarray(NULL, left + 1, sizeof(struct shard *));

    settings.leaving = true;
    registry_set_room(r, room, &settings);
    for (uint32_t i = 0; i < left; i++)
        shards[i] = shard_of_candidate(candidates_next(&room->candidates, &at));
    if (left == 0)
        remove_room(r, room);
    for (uint32_t i = 0, count = left; i < count; i++)
        left -= registry_set_status(r, shards[i], SHARD_DRAINING, drain, now);
    free(shards);
    return left == 0;
}

/* The order in which shards are given up. Slots are creation order, so the order is total. */
static int by_dispensability(const void *left, const void *right)
{
    const struct shard *a = *(struct shard *const *)left;
    const struct shard *b = *(struct shard *const *)right;

    if ((a->status == SHARD_DRAINING) != (b->status == SHARD_DRAINING))
        return a->status == SHARD_DRAINING ? -1 : 1;
    if (shard_used(a) != shard_used(b))
        return shard_used(a) < shard_used(b) ? -1 : 1;
    return a->candidate.slot < b->candidate.slot ? -1 : 1;
}

void registry_scale_down(struct registry *r, struct room *room, uint32_t target,
                         const struct order_drain *drain, struct moment now)
{
    uint32_t count = room_shards(room), at = 0;
    struct shard **shards;

    if (target >= count)
        return;
    shards = xreallocarray(NULL, count, sizeof(struct shard *));
    for (uint32_t i = 0; i < count; i++)
        shards[i] = shard_of_candidate(candidates_next(&room->candidates, &at));
    qsort(shards, count, sizeof(struct shard *), by_dispensability);
    for (uint32_t i = 0; i < count - target; i++) {
        if (shards[i]->status == SHARD_DRAINING)
            (void)registry_let_go(r, shards[i]);
        else
            (void)registry_set_status(r, shards[i], SHARD_DRAINING, drain, now);
    }
    free(shards);
}

size_t registry_expire(struct registry *r, struct moment now)
{
    size_t expired = 0;

    LIST_EACH (&r->world_list, it) {
        struct world *w = CONTAINER_OF(it, struct world, node);
        for (struct list *first; (first = list_first(&w->heard_list)) != NULL; expired++) {
            struct shard *s = CONTAINER_OF(first, struct shard, heard_node);
            if (now.mono_ms - s->heard_ms <= REGISTRY_SILENCE_MS)
                break;
            remove_shard(r, s);
        }
        retired_expire(r, w, now.wall_ms);
    }
    return expired;
}

void registry_hush(struct registry *r, struct moment now)
{
    LIST_EACH (&r->world_list, world_it) {
        struct world *w = CONTAINER_OF(world_it, struct world, node);
        LIST_EACH (&w->heard_list, it) {
            struct shard *s = CONTAINER_OF(it, struct shard, heard_node);
            int64_t silence_ms = now.mono_ms - s->heard_ms;
            if (silence_ms < RHYTHM_QUIET_MIN_MS)
                break;
            if (s->quiet || silence_ms < rhythm_quiet_ms(&s->rhythm))
                continue;
            s->quiet = true;
            registry_reindex(r, s);
        }
    }
}

void registry_set_open(struct registry *r, struct shard *s, uint64_t open, bool heard,
                       struct moment now)
{
    unsigned fields = s->open != open ? SHARD_OPEN : 0u;

    fields |= heard && s->heartbeat_ms != now.wall_ms ? SHARD_HEARTBEAT : 0u;
    s->open = open;
    if (heard)
        s->heartbeat_ms = now.wall_ms;
    registry_reindex(r, s);
    if (fields != 0)
        r->watch.shard_changed(r->watch.ctx, s, fields);
}

void registry_put_in_index(struct shard *s)
{
    candidates_set(&s->room->candidates, &s->candidate, shard_used(s), s->max,
                   shard_is_selectable(s));
}

void registry_reindex(struct registry *r, struct shard *s)
{
    if (s->owner != NULL)
        shard_count_at_owner(r, s);
    registry_put_in_index(s);
    check(r, s->room, s);
}

bool shard_is_selectable(const struct shard *s)
{
    return s->status == SHARD_ACTIVE && shard_used(s) < s->max && !s->passed_over &&
           (s->owner == NULL ? !s->quiet : s->owner->usable);
}

bool registry_let_go(struct registry *r, struct shard *s)
{
    if (s->status != SHARD_DRAINING || shard_used(s) != 0)
        return false;
    remove_shard(r, s);
    return true;
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
    if (touched != NULL)
        seats_check(touched);
    if (touched != NULL && touched->owner != NULL)
        node_check_sums(touched->owner);
    check_selectable(room);
    candidates_check(&room->candidates, touched == NULL ? NULL : &touched->candidate);
}
