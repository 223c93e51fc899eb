/* What a node is told: its shards in the order of their last change, and what it has lost. */
#include "world/core/nodes/nodes.h"
#include "world/core/rooms/shards.h"

#include <stdlib.h>

struct order shard_order(const struct shard *s, struct moment now)
{
    static const enum order_status statuses[SHARD_STATUS_COUNT] = {
        [SHARD_ACTIVE] = ORDER_ACTIVE,
        [SHARD_MAINTENANCE] = ORDER_MAINTENANCE,
        [SHARD_DRAINING] = ORDER_DRAINING,
    };

    return (struct order){
        .shard_id = s->id,
        .room_id = s->room->name,
        .room_server = assignment_origin(s->room),
        .hold = assignment_holds(&s->room->assignment),
        .status = statuses[s->status],
        .max_connections = s->max,
        .is_private = !s->room->settings.is_public,
        .drain = shard_drain(s, now),
    };
}

/* The first whose orders changed after `version`; the list's head when there is none. */
static struct list *first_after(const struct node *n, int64_t version)
{
    struct list *it = n->owned.prev;

    while (it != &n->owned && CONTAINER_OF(it, struct shard, in_owner)->order_version > version)
        it = it->prev;
    return it->next;
}

static void add_shard(const struct shard *s, struct moment now, bool first, struct buf *out)
{
    struct order order = shard_order(s, now);
    struct order_ban *bans = bans_order(s->room, now);

    orders_add_shard(out, &order, bans, s->room->bans.count, first);
    free(bans);
}

static void add_shards(const struct node *n, int64_t version, struct moment now, struct buf *out)
{
    bool first = true;

    for (struct list *it = first_after(n, version); it != &n->owned; it = it->next) {
        add_shard(CONTAINER_OF(it, struct shard, in_owner), now, first, out);
        first = false;
    }
}

/* What the node has got back meanwhile is no drop any more. */
static void add_drops(const struct node *n, struct buf *out)
{
    bool first = true;
    struct list *at = NULL;
    struct span id;

    while (node_next_drop(n, &at, &id)) {
        const struct shard *s = world_shard(n->world, id);
        if (s != NULL && s->owner == n)
            continue;
        orders_add_drop(out, id, first);
        first = false;
    }
}

/* What the node has clients of and does not own. */
static void add_guests(const struct node *n, int64_t version, struct moment now, struct buf *out)
{
    bool first = true;

    LIST_EACH (&n->holdings, it) {
        const struct holding *h = CONTAINER_OF(it, struct holding, in_node);
        struct order order;
        if (h->shard->owner == n || h->order_version <= version)
            continue;
        if (first)
            orders_open_guests(out);
        order = shard_order(h->shard, now);
        orders_add_shard(out, &order, NULL, 0, first);
        first = false;
    }
}

/* What is left of the time, at least a moment: 0 would mean that nobody is closed. */
struct order_drain node_drain_left(const struct node *n, struct moment now)
{
    struct order_drain d = n->drain;

    if (d.deadline_ms > 0)
        d.deadline_ms = n->drain_due_ms > now.mono_ms ? n->drain_due_ms - now.mono_ms : 1;
    return d;
}

static struct order_log log_order(const struct node *n, struct moment now)
{
    struct order_log o = n->log;

    if (n->log_until_ms == 0)
        return o;
    if (now.mono_ms >= n->log_until_ms)
        return (struct order_log){.id = 0};
    o.ttl_ms = n->log_until_ms - now.mono_ms;
    return o;
}

void nodes_add_orders(struct registry *r, struct node *n, const struct beat *b, struct moment now,
                      struct buf *out)
{
    bool full = b->have_epoch != n->world->epoch || b->have_version < n->full_below ||
                b->have_version > n->version_of_orders;
    n->is_to_renew = n->was_missed;
    struct orders orders = {
        .epoch = n->world->epoch,
        .version = n->version_of_orders,
        .interval_ms = r->beat_ms,
        .unchanged = !full && b->have_version == n->version_of_orders,
        .full = full,
        .drain_node = n->drain_ordered,
        .drain = node_drain_left(n, now),
        .renew = n->was_missed,
        .others = n->world->nodes.usable - n->usable,
        .checkup = round_orders(n),
        .log = log_order(n, now),
    };

    orders_open(out, &orders);
    if (!orders.unchanged) {
        add_shards(n, full ? 0 : b->have_version, now, out);
        orders_open_drops(out);
        if (!full)
            add_drops(n, out);
        add_guests(n, full ? 0 : b->have_version, now, out);
    }
    crowd_add_orders(r, n, now, out);
    orders_close(out);
}
