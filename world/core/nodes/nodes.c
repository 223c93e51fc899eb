/* The records of nodes. What a beat changes in them is node_beat.c's, silence liveness.c's, where
 * shards go moves.c's, what is held of them holdings.c's. */
#include "world/core/nodes/nodes.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "world/core/record.h"
#include "world/core/rooms/shards.h"

const char *const node_state_names[NODE_STATE_COUNT + 1] = {
    [NODE_EXPECTED] = "expected",
    [NODE_ALIVE] = "alive",
    [NODE_SUSPECT] = "suspect",
    [NODE_DEAD] = "dead",
};

static const uint8_t node_next[NODE_STATE_COUNT] = {
    [NODE_EXPECTED] = 1u << NODE_ALIVE | 1u << NODE_DEAD,
    [NODE_ALIVE] = 1u << NODE_SUSPECT | 1u << NODE_DEAD,
    [NODE_SUSPECT] = 1u << NODE_ALIVE | 1u << NODE_DEAD,
    [NODE_DEAD] = 1u << NODE_ALIVE,
};

bool node_set_text(struct span *to, struct span from)
{
    if (to->ptr != NULL && span_eq(*to, from))
        return false;
    span_free(*to);
    *to = span_copy(from);
    return true;
}

struct node *node_add(struct registry *r, struct world *w, struct span id, struct moment now)
{
    struct node *n = xcalloc(1, sizeof(*n));

    n->id = span_copy(id);
    n->world = w;
    n->state = NODE_EXPECTED;
    n->serial = ++r->last_serial;
    n->heard_ms = now.mono_ms;
    n->touched_ms = now.mono_ms;
    n->version_of_orders = n->full_below = ++w->nodes.version;
    list_init(&n->owned);
    list_init(&n->holdings);
    list_init(&n->drops);
    map_add(&w->nodes.by_id, n->id, n);
    list_push(&w->nodes.list, &n->in_world);
    w->change++;
    if (r->node_count++ == 0)
        r->nodes_ticked_ms = now.mono_ms; /* nobody looked before */
    r->node_states[NODE_EXPECTED]++;
    return n;
}

static bool compute_usable(const struct node *n)
{
    return n->state == NODE_ALIVE && n->heard_full && !n->draining && !n->drain_ordered &&
           (n->max_connections == 0 || n->connections + n->reserved < n->max_connections);
}

void node_free_holdings(struct registry *r, struct node *n)
{
    for (struct list *it; (it = list_first(&n->holdings)) != NULL;)
        holding_free(r, CONTAINER_OF(it, struct holding, in_node));
}

/* `until_ms`: wall time; counts when there is a deadline. */
static void set_drain(struct node *n, bool on, const struct order_drain *how, int64_t until_ms,
                      struct moment now)
{
    n->drain_ordered = on;
    n->drain = *how;
    n->drain_until_ms = how->deadline_ms == 0 ? 0 : until_ms;
    n->drain_due_ms = how->deadline_ms == 0 ? 0 : now.mono_ms + (until_ms - now.wall_ms);
}

void node_go(struct registry *r, struct node *n, enum node_state to)
{
    assert(node_next[n->state] & 1u << to);
    log_info("node.state", "node=%.*s world=%.*s from=%s to=%s", SPAN_ARG(n->id),
             SPAN_ARG(n->world->id), node_state_names[n->state], node_state_names[to]);
    r->node_states[n->state]--;
    n->state = to;
    r->node_states[to]++;
    node_refresh(r, n);
    r->watch.node_changed(r->watch.ctx, n);
}

void node_refresh(struct registry *r, struct node *n)
{
    bool usable = compute_usable(n);

    if (usable == n->usable)
        return;
    n->usable = usable;
    n->world->change++;
    if (usable)
        n->world->nodes.usable++;
    else
        n->world->nodes.usable--;
    LIST_EACH (&n->owned, it)
        registry_put_in_index(CONTAINER_OF(it, struct shard, in_owner));
    node_check_sums(n);
    (void)r;
}

void node_hold(struct node *n, bool held)
{
    if (n->held == held)
        return;
    n->held = held;
    if (held)
        n->world->nodes.held++;
    else
        n->world->nodes.held--;
}

void node_discard(struct registry *r, struct node *n)
{
    struct world *w = n->world;

    assert(n->owned_count == 0);
    node_free_holdings(r, n);
    node_hold(n, false);
    node_forget_drops(n, INT64_MAX);
    map_remove(&w->nodes.by_id, n->id);
    list_remove(&n->in_world);
    w->change++;
    w->nodes.usable -= n->usable;
    w->nodes.expected -= n->is_expected;
    r->node_count--;
    r->node_states[n->state]--;
    span_free(n->id);
    span_free(n->url);
    span_free(n->internal_url);
    span_free(n->version);
    findings_clear(&n->findings);
    free(n);
}

void node_forget(struct registry *r, struct node *n)
{
    r->watch.forget(r->watch.ctx, RECORD_NODE, n->world, n->id);
    node_discard(r, n);
}

void node_lose_clients(struct registry *r, struct node *n, struct moment now)
{
    LIST_EACH_SAFE (&n->holdings, it, after)
        (void)holding_lose(r, CONTAINER_OF(it, struct holding, in_node), now);
}

void node_keep(struct registry *r, const struct node *n)
{
    struct buf value = {0};

    n->world->change++;
    record_add_node(&value, n);
    r->watch.keep(r->watch.ctx, RECORD_NODE, n->world, n->id, buf_span(&value));
    buf_clear(&value);
}

bool node_is_usable(const struct node *n)
{
    return n->usable;
}

struct node *world_node(const struct world *w, struct span id)
{
    return w == NULL || id.len == 0 ? NULL : map_get(&w->nodes.by_id, id);
}

struct node *nodes_expect(struct registry *r, struct world *w, struct span id, struct moment now)
{
    struct node *n = world_node(w, id);

    if (n != NULL)
        return n;
    n = node_add(r, w, id, now);
    n->is_expected = true;
    w->nodes.expected++;
    if (w->nodes.settle_ms == 0)
        w->nodes.settle_ms = now.mono_ms + nodes_settle_ms(r);
    return n;
}

void node_restore(struct node *n, const struct node_record *as, struct moment now)
{
    node_set_text(&n->url, as->url);
    node_set_text(&n->internal_url, as->internal_url);
    n->max_connections = as->max_connections;
    set_drain(n, as->is_drained, &as->drain, as->drain_until_ms, now);
}

bool node_drains(const struct node *n)
{
    return n->drain_ordered || (n->draining && n->have_version >= n->undrained);
}

void node_drain(struct registry *r, struct node *n, bool on, const struct order_drain *how,
                struct moment now)
{
    static const struct order_drain none;
    bool is_taken_back = n->drain_ordered && !on;

    set_drain(n, on, on ? how : &none, on ? now.wall_ms + how->deadline_ms : 0, now);
    n->version_of_orders = ++n->world->nodes.version;
    if (is_taken_back)
        n->undrained = n->version_of_orders;
    node_keep(r, n);
    node_refresh(r, n);
    if (on)
        (void)nodes_evacuate(r, n, now);
    else if (n->usable)
        nodes_place_strays(r, n->world, now);
}

void nodes_clear(struct registry *r, struct world *w)
{
    for (struct list *it; (it = list_first(&w->nodes.list)) != NULL;) {
        struct node *n = CONTAINER_OF(it, struct node, in_world);
        for (struct list *s; (s = list_first(&n->owned)) != NULL;)
            shard_leave_nodes(r, CONTAINER_OF(s, struct shard, in_owner));
        node_discard(r, n);
    }
    map_clear(&w->nodes.by_id);
}
