/* Silence of nodes, and of shards without one. */
#include "common/base/log.h"
#include "world/core/nodes/nodes.h"
#include "world/core/rooms/shards.h"

static bool is_silent(const struct node *n)
{
    return n->state == NODE_SUSPECT || n->state == NODE_DEAD;
}

static bool fell_silent_together(const struct node *a, const struct node *b)
{
    int64_t apart = a->heard_ms - b->heard_ms;
    int64_t most = a->world->registry->beat_ms * NODES_MASS;

    return apart <= most && apart >= -most;
}

/* True when more than half of those that were heard then fell silent with it: more likely the
 * world is cut off than that so many died. Nodes that were never heard fell not silent. */
static bool fell_with_many(const struct node *n)
{
    size_t silent = 0, all = 0;

    LIST_EACH (&n->world->nodes.list, it) {
        const struct node *other = CONTAINER_OF(it, struct node, in_world);
        bool together = fell_silent_together(n, other);
        if (other->epoch == 0 || (is_silent(other) && !together))
            continue;
        all++;
        silent += is_silent(other);
    }
    return silent >= 2 && silent * 2 > all;
}

static void die(struct registry *r, struct node *n, struct moment now)
{
    node_hold(n, n->epoch != 0 && fell_with_many(n));
    if (n->is_expected)
        n->world->nodes.expected--;
    n->is_expected = false;
    node_go(r, n, NODE_DEAD);
    node_lose_clients(r, n, now);
    LIST_EACH_SAFE (&n->owned, it, after) {
        struct shard *s = CONTAINER_OF(it, struct shard, in_owner);
        if (s->is_told)
            (void)shard_lose_told(r, s, now);
    }
    if (n->held)
        log_warn("node.held", "node=%.*s reason=many-silent", SPAN_ARG(n->id));
}

/* What its shards have been told to be alive by is the node's beats; admins see it move. */
static void touch(struct registry *r, struct node *n, struct moment now)
{
    n->touched_ms = now.mono_ms;
    LIST_EACH (&n->owned, it) {
        struct shard *s = CONTAINER_OF(it, struct shard, in_owner);
        if (now.wall_ms - s->heartbeat_ms >= NODES_TOUCH_MS)
            registry_set_open(r, s, s->open, true, now);
    }
}

/* Those whose shards are to go elsewhere as soon as there is somewhere. */
static bool gives_away(const struct node *n, struct moment now)
{
    if (n->owned_count == 0 || n->world->nodes.usable == 0 || world_is_settling(n->world, now))
        return false;
    return n->state == NODE_DEAD ? !n->held : n->draining || n->drain_ordered;
}

/* The node may be forgotten by it. */
static void look_at(struct registry *r, struct node *n, struct moment now)
{
    int64_t silence_ms = now.mono_ms - n->heard_ms;

    if (n->state == NODE_ALIVE && silence_ms >= r->beat_ms * NODES_SUSPECT)
        node_go(r, n, NODE_SUSPECT);
    else if ((n->state == NODE_SUSPECT || n->state == NODE_EXPECTED) &&
             silence_ms >= r->beat_ms * NODES_DEAD)
        die(r, n, now);
    if (n->state == NODE_ALIVE && now.mono_ms - n->touched_ms >= NODES_TOUCH_MS)
        touch(r, n, now);
    if (gives_away(n, now))
        (void)nodes_evacuate(r, n, now);
    if (n->state == NODE_DEAD && n->owned_count == 0 && silence_ms >= NODES_FORGET_MS)
        node_forget(r, n);
}

/* While we stood still nobody could be heard. */
static void forgive(struct world *w, int64_t gap_ms, struct moment now)
{
    LIST_EACH (&w->nodes.list, it) {
        struct node *n = CONTAINER_OF(it, struct node, in_world);
        n->heard_ms += gap_ms;
        if (n->heard_ms > now.mono_ms)
            n->heard_ms = now.mono_ms;
    }
}

void nodes_tick(struct registry *r, struct moment now)
{
    int64_t gap_ms = now.mono_ms - r->nodes_ticked_ms;

    LIST_EACH (&r->world_list, world_it) {
        struct world *w = CONTAINER_OF(world_it, struct world, node);
        if (gap_ms > r->beat_ms)
            forgive(w, gap_ms, now);
        if (w->nodes.strays && !world_is_settling(w, now))
            nodes_place_strays(r, w, now);
        LIST_EACH_SAFE (&w->nodes.list, it, after)
            look_at(r, CONTAINER_OF(it, struct node, in_world), now);
    }
    crowd_tick(r, now);
    r->nodes_ticked_ms = now.mono_ms;
}

bool world_is_settling(const struct world *w, struct moment now)
{
    return w != NULL && w->nodes.expected > 0 && now.mono_ms < w->nodes.settle_ms;
}
