/* Where a client of a shard goes when the node that it came to cannot take it. */
#include "world/core/nodes/nodes.h"

#include "common/proto/shard_id.h"
#include "world/core/rooms/placement.h"
#include "world/core/rooms/retired.h"
#include "world/core/rooms/shards.h"

const char *const resolve_outcome_names[RESOLVED_COUNT + 1] = {
    [RESOLVED_OWNER] = "owner",     [RESOLVED_MOVED] = "moved", [RESOLVED_OTHER] = "other",
    [RESOLVED_MISSING] = "missing", [RESOLVED_FULL] = "full",
};

/* Where a shard can go that needs another node than `avoid`: to who asks, so that the client is
 * where it has to be, else to any. */
static struct node *new_home(struct world *w, const struct resolve *q, const struct node *avoid,
                             struct moment now)
{
    struct node *asker = world_node(w, q->asker);

    if (asker != NULL && asker != avoid && asker->usable && asker->epoch == q->asker_epoch)
        return asker;
    return nodes_pick_other(w, avoid, now);
}

/* Gives the shard an owner that can be reached; false: there is none. */
static bool settle(struct registry *r, struct world *w, struct shard *s, const struct resolve *q,
                   struct moment now)
{
    const struct node *owner = s->owner;
    enum node_move why = MOVE_ASKED;
    struct node *to;

    if (owner == NULL)
        why = MOVE_PLACED;
    else if (q->reason == RESOLVE_UNREACHABLE && span_eq(owner->id, q->node))
        why = MOVE_UNREACHABLE;
    else if (owner->state == NODE_ALIVE && (owner->draining || owner->drain_ordered))
        why = MOVE_DRAIN;
    else if (owner->state == NODE_ALIVE)
        return true;
    to = new_home(w, q, owner, now);
    if (to == NULL)
        return why == MOVE_DRAIN; /* it serves what it has as long as there is nobody else */
    if (shard_move(r, s, to, why, now))
        return false;
    r->node_stats.resolves[RESOLVED_MOVED]++;
    return true;
}

/* Another shard of the room; `avoid` (may be NULL) is passed over. */
static enum refusal substitute(struct registry *r, struct room *room, struct shard *avoid,
                               const struct resolve *q, struct moment now, struct resolution *out)
{
    struct placement found;

    if (avoid != NULL) {
        avoid->passed_over = true;
        registry_reindex(r, avoid);
    }
    found = placement_find(r, room, q->session, false, 0, now);
    if (avoid != NULL) {
        avoid->passed_over = false;
        registry_reindex(r, avoid);
    }
    if (found.shard == NULL) {
        out->grow = placement_grows(room, true, r->max_room_shards) ? room : NULL;
        return found.refusal;
    }
    if (!settle(r, room->world, found.shard, q, now))
        return REFUSAL_NO_NODE;
    out->shard = found.shard;
    r->node_stats.resolves[RESOLVED_OTHER]++;
    return REFUSAL_NONE;
}

/* The id of a shard that is no more leads to its room. */
static enum refusal resolve_gone(struct registry *r, struct world *w, const struct resolve *q,
                                 struct moment now, struct resolution *out)
{
    struct room *room = world_room(w, shard_id_parse(q->shard_id).room);

    if (w == NULL || !retired_has(&w->retired, q->shard_id))
        return REFUSAL_SHARD_MISSING;
    if (room == NULL)
        return REFUSAL_SHARD_RETIRED;
    return substitute(r, room, NULL, q, now, out);
}

/* True when the shard itself takes nobody, whatever its node. Its seats do not close it, taken or
 * kept: whoever asks may be the one that they are for. Its node knows, and says when it is full. */
static bool is_closed(const struct shard *s, const struct resolve *q)
{
    bool drained = q->reason == RESOLVE_DRAINING && s->owner != NULL && s->owner->usable &&
                   span_eq(s->owner->id, q->asker);

    return s->status == SHARD_DRAINING || q->reason == RESOLVE_FULL || drained;
}

static enum refusal resolve(struct registry *r, struct world *w, const struct resolve *q,
                            struct moment now, struct resolution *out)
{
    struct shard *s = world_shard(w, q->shard_id);

    if (s == NULL)
        return resolve_gone(r, w, q, now, out);
    if (is_closed(s, q))
        return substitute(r, s->room, s, q, now, out);
    if (!settle(r, w, s, q, now))
        return REFUSAL_NO_NODE;
    out->shard = s;
    r->node_stats.resolves[RESOLVED_OWNER]++;
    return REFUSAL_NONE;
}

enum refusal nodes_resolve(struct registry *r, struct world *w, const struct resolve *q,
                           struct moment now, struct resolution *out)
{
    enum refusal why;

    *out = (struct resolution){0};
    why = resolve(r, w, q, now, out);

    if (why == REFUSAL_SHARD_MISSING || why == REFUSAL_SHARD_RETIRED)
        r->node_stats.resolves[RESOLVED_MISSING]++;
    else if (why != REFUSAL_NONE)
        r->node_stats.resolves[RESOLVED_FULL]++;
    return why;
}

enum refusal nodes_resolve_anew(struct registry *r, struct room *room, const struct resolve *q,
                                struct moment now, struct shard **shard)
{
    struct shard *s;

    if (new_home(room->world, q, NULL, now) == NULL)
        return REFUSAL_NO_NODE;
    s = registry_add_shard(r, room, (struct span){0}, 0, now);
    seats_reserve(r, s, now);
    (void)settle(r, room->world, s, q, now); /* there is somebody for it */
    *shard = s;
    r->node_stats.resolves[RESOLVED_OTHER]++;
    return REFUSAL_NONE;
}
