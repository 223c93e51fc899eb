/* How shards come, change and go: each change brings index and owner in line, and tells the watch.
 */
#include "world/core/rooms/shards.h"

#include <stdlib.h>

#include "common/base/stable_hash.h"
#include "common/proto/shard_id.h"
#include "world/core/nodes/crowd.h"
#include "world/core/nodes/nodes.h"
#include "world/core/rooms/url_template.h"

const char *const shard_status_names[SHARD_STATUS_COUNT + 1] = {
    [SHARD_ACTIVE] = "active",
    [SHARD_MAINTENANCE] = "maintenance",
    [SHARD_DRAINING] = "draining",
};

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

/* One shard more, or less, of a status. */
static void count_status(struct room *room, enum shard_status status, bool more)
{
    if (more) {
        room->by_status[status]++;
        room->world->by_status[status]++;
    } else {
        room->by_status[status]--;
        room->world->by_status[status]--;
    }
}

/* The only place that moves a shard's status: any may follow any. */
static void shard_go(struct shard *s, enum shard_status to)
{
    count_status(s->room, s->status, false);
    s->status = to;
    count_status(s->room, to, true);
    if (to != SHARD_DRAINING)
        s->drain = (struct order_drain){0};
}

static void shard_free(struct shard *s)
{
    span_free(s->id);
    span_free(s->url);
    free(s);
}

void registry_remove_shard(struct registry *r, struct shard *s)
{
    struct room *room = s->room;

    r->watch.shard_removed(r->watch.ctx, s);
    seats_clear(r, s);
    wheel_cancel(&r->wheel, &s->progress);
    strangers_removed(room->world, s->by_stranger, room->name);
    shard_leave_nodes(r, s);
    map_remove(&room->world->shards, s->id);
    map_remove(&room->world->shard_serials, span_of(&s->serial, sizeof(s->serial)));
    list_remove(&s->node);
    list_remove(&s->heard_node);
    list_remove(&s->count_node);
    candidates_remove(&room->candidates, &s->candidate);
    count_status(room, s->status, false);
    tally_leave(s);
    r->shard_count--;
    shard_free(s);
    registry_changed(r, room, NULL);
    if (room->settings.leaving && room_shards(room) == 0)
        registry_remove_room(r, room);
}

void registry_drop_shard(struct registry *r, struct shard *s)
{
    seats_clear(r, s);
    crowd_drop_shard(r, s);
    wheel_cancel(&r->wheel, &s->progress);
    list_remove(&s->count_node);
    r->shard_count--;
    shard_free(s);
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
    list_init(&s->missing);
    s->id = span_copy(as->id);
    s->url = span_copy(as->url);
    s->room = room;
    tally_open(s, as->open);
    tally_max(s, as->max);
    s->status = as->status;
    s->serial = ++r->last_serial;
    set_drain(s, &as->drain, as->drain_until_ms, now);
    s->heartbeat_ms = now.wall_ms;
    s->heard_ms = now.mono_ms;
    count_status(room, s->status, true);
    map_add(&room->world->shards, s->id, s);
    map_add(&room->world->shard_serials, span_of(&s->serial, sizeof(s->serial)), s);
    list_push(&room->world->shard_list, &s->node);
    list_push(&room->world->heard_list, &s->heard_node);
    s->candidate.name = stable_hash(s->id);
    candidates_add(&room->candidates, &s->candidate, shard_used(s), s->max, shard_is_selectable(s));
    r->shard_count++;
    registry_changed(r, room, s);
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
    tally_open(shard, open);
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

void registry_set_max(struct registry *r, struct shard *s, uint64_t max)
{
    if (s->max == max)
        return;
    tally_max(s, max);
    shard_order_changed(r, s);
    registry_reindex(r, s);
    r->watch.shard_changed(r->watch.ctx, s, SHARD_MAX);
}

void registry_set_open(struct registry *r, struct shard *s, uint64_t open, bool heard,
                       struct moment now)
{
    unsigned fields = s->open != open ? SHARD_OPEN : 0u;

    fields |= heard && s->heartbeat_ms != now.wall_ms ? SHARD_HEARTBEAT : 0u;
    tally_open(s, open);
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
    registry_changed(r, s->room, s);
}

bool registry_let_go(struct registry *r, struct shard *s)
{
    if (s->status != SHARD_DRAINING || shard_used(s) != 0)
        return false;
    registry_remove_shard(r, s);
    return true;
}

struct order_drain shard_drain(const struct shard *s, struct moment now)
{
    struct order_drain drain = s->drain;

    if (drain.deadline_ms > 0)
        drain.deadline_ms = s->drain_due_ms > now.mono_ms ? s->drain_due_ms - now.mono_ms : 1;
    return drain;
}

bool shard_is_selectable(const struct shard *s)
{
    return s->status == SHARD_ACTIVE && shard_used(s) < s->max && !s->passed_over &&
           (s->owner == NULL ? !s->quiet : s->owner->usable);
}
