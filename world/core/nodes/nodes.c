/* The records of nodes, and what a beat changes in them. Silence is liveness.c's, where shards go
 * moves.c's, what is held of them holdings.c's. */
#include "world/core/nodes/nodes.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/proto/shard_id.h"
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

/* Answers true when the text was another one. */
static bool set_text(struct span *to, struct span from)
{
    if (to->ptr != NULL && span_eq(*to, from))
        return false;
    span_free(*to);
    *to = span_copy(from);
    return true;
}

static struct node *node_new(struct registry *r, struct world *w, struct span id, struct moment now)
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
    if (r->node_count++ == 0)
        r->nodes_ticked_ms = now.mono_ms; /* nobody looked before */
    r->node_states[NODE_EXPECTED]++;
    return n;
}

static bool is_newer(const struct beat *b, const struct node *n)
{
    return b->epoch > n->epoch || (b->epoch == n->epoch && b->seq > n->seq);
}

static bool compute_usable(const struct node *n)
{
    return n->state == NODE_ALIVE && n->heard_full && !n->draining && !n->drain_ordered &&
           (n->max_connections == 0 || n->connections + n->reserved < n->max_connections);
}

static void free_holdings(struct registry *r, struct node *n)
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

/* A later process has taken over the id: what the earlier one held is gone. */
static void start_anew(struct registry *r, struct node *n, struct moment now)
{
    log_info("node.restarted", "node=%.*s", SPAN_ARG(n->id));
    node_lose_clients(r, n, now);
    free_holdings(r, n);
    n->heard_full = false;
    n->was_missed = n->is_to_renew = false;
    n->alive_since_ms = now.mono_ms;
    n->adopted = 0;
    n->full_below = n->version_of_orders = ++n->world->nodes.version;
    node_forget_drops(n, INT64_MAX);
}

/* What a beat says of the process itself. */
static void take_head(struct registry *r, struct node *n, const struct beat *b, struct moment now)
{
    bool changed = set_text(&n->url, b->url);

    changed = set_text(&n->internal_url, b->internal_url) || changed;
    changed = changed || n->max_connections != b->max_connections;
    set_text(&n->version, b->version);
    n->epoch = b->epoch;
    n->seq = b->seq;
    n->have_version = b->have_epoch == n->world->epoch ? b->have_version : 0;
    n->heard_ms = now.mono_ms;
    n->lag_ms = b->lag_ms;
    n->max_connections = b->max_connections;
    n->connections = b->connections;
    n->draining = b->draining || b->gone;
    node_hold(n, false);
    n->beats++;
    if (changed)
        node_keep(r, n);
}

/* True when the id names another world, about which this one has nothing to say. */
static bool is_foreign(const struct world *w, struct span id)
{
    struct shard_id parts = shard_id_parse(id);

    return parts.world.len > 0 && !span_eq(parts.world, w->id);
}

/* Answers how many of the shards nobody knows. */
static uint64_t take_shards(struct registry *r, struct node *n, bool is_base, struct beat_doc *doc,
                            struct moment now)
{
    struct beat_shard b;
    uint64_t unknown = 0;

    for (size_t at = 0; beat_next_shard(doc, &at, &b);) {
        struct shard *s = world_shard(n->world, b.shard_id);
        if (s != NULL)
            holding_report(r, n, s, &b, doc, is_base, now);
        else if (!is_foreign(n->world, b.shard_id))
            unknown++;
    }
    return unknown;
}

/* A full beat names everything: what it does not name is not there. */
static void end_unnamed(struct registry *r, struct node *n, struct moment now)
{
    LIST_EACH_SAFE (&n->holdings, it, after) {
        struct holding *h = CONTAINER_OF(it, struct holding, in_node);
        if (h->seen != n->beats)
            holding_end(r, h, now);
    }
}

/* The first full beat: counts that were only remembered are known now. */
static void take_first_full(struct registry *r, struct node *n, struct moment now)
{
    if (n->heard_full)
        return;
    n->heard_full = true;
    if (n->is_expected)
        n->world->nodes.expected--;
    n->is_expected = false;
    LIST_EACH_SAFE (&n->owned, it, after) {
        struct shard *s = CONTAINER_OF(it, struct shard, in_owner);
        if (s->is_told && !s->reported) {
            s->is_told = false;
            (void)shard_recount(r, s, false, now);
        }
    }
}

/* What was taken from a silent node goes back to it where most of the clients still are. */
static void take_back(struct registry *r, struct node *n, struct moment now)
{
    LIST_EACH_SAFE (&n->holdings, it, after) {
        struct holding *h = CONTAINER_OF(it, struct holding, in_node);
        struct shard *s = h->shard;
        const struct holding *other = s->owner == NULL ? NULL : holding_of(s->owner, s);
        bool taken = h->taken;

        h->taken = false;
        if (taken && n->usable && s->owner != n && h->open > (other == NULL ? 0 : other->open))
            (void)shard_move(r, s, n, MOVE_RETURN, now);
    }
}

/* It is heard, so that its clients are still with it, whoever owns the shards. */
static void heal(struct registry *r, struct node *n, struct moment now)
{
    if (!n->has_lost)
        return;
    n->has_lost = false;
    LIST_EACH_SAFE (&n->holdings, it, after)
        holding_heal(r, CONTAINER_OF(it, struct holding, in_node), now);
}

/* One beat makes a node alive, whatever it was. */
static void revive(struct registry *r, struct node *n, struct moment now)
{
    heal(r, n, now);
    if (n->state == NODE_ALIVE)
        return;
    if (n->state != NODE_SUSPECT)
        n->alive_since_ms = now.mono_ms;
    node_go(r, n, NODE_ALIVE);
}

/* It ends: nobody is there any more. */
static void bury(struct registry *r, struct node *n, struct moment now)
{
    node_lose_clients(r, n, now);
    free_holdings(r, n);
    node_go(r, n, NODE_DEAD);
    if (nodes_evacuate(r, n, now) == 0)
        node_forget(r, n);
}

static void take(struct registry *r, struct node *n, const struct beat *b, struct beat_doc *doc,
                 struct moment now)
{
    bool was_alive = n->state == NODE_ALIVE, was_usable = n->usable;
    bool is_base = !n->heard_full && b->have_epoch != 0;
    uint64_t unknown;

    take_head(r, n, b, now);
    revive(r, n, now);
    unknown = take_shards(r, n, is_base, doc, now);
    if (b->full || unknown > n->adopted)
        n->adopted = unknown;
    if (b->full && n->is_to_renew)
        n->was_missed = n->is_to_renew = false;
    if (b->full) {
        end_unnamed(r, n, now);
        take_first_full(r, n, now);
    }
    if (b->have_epoch == n->world->epoch)
        node_forget_drops(n, b->have_version);
    node_refresh(r, n);
    if (!was_alive)
        take_back(r, n, now);
    if (n->usable && !was_usable)
        nodes_place_strays(r, n->world, now);
    if (b->gone)
        bury(r, n, now);
    else if (n->draining || n->drain_ordered)
        (void)nodes_evacuate(r, n, now);
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
    free_holdings(r, n);
    node_hold(n, false);
    node_forget_drops(n, INT64_MAX);
    map_remove(&w->nodes.by_id, n->id);
    list_remove(&n->in_world);
    w->nodes.usable -= n->usable;
    w->nodes.expected -= n->is_expected;
    r->node_count--;
    r->node_states[n->state]--;
    span_free(n->id);
    span_free(n->url);
    span_free(n->internal_url);
    span_free(n->version);
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

/* The node has followed the world under a higher epoch. It would ignore whatever we order. Either
 * our clock was set back since, or another process decides for the world. */
static void rise_above(struct registry *r, struct world *w, int64_t epoch)
{
    if (epoch <= w->epoch || epoch >= REGISTRY_COUNT_MAX ||
        !r->watch.outdated(r->watch.ctx, w, epoch))
        return;
    log_warn("world.rise", "world=%.*s epoch=%lld seen=%lld", SPAN_ARG(w->id), (long long)w->epoch,
             (long long)epoch);
    w->epoch = epoch + 1;
}

enum beat_verdict nodes_beat(struct registry *r, struct world *w, const struct beat *b,
                             struct beat_doc *doc, struct moment now,
                             struct orders_conflict *conflict)
{
    struct node *n = world_node(w, b->node_id);

    if (n == NULL) {
        n = node_new(r, w, b->node_id, now);
    } else if (n->epoch != 0 && !is_newer(b, n)) {
        *conflict = (struct orders_conflict){.epoch = n->epoch,
                                             .age_ms = now.mono_ms - n->heard_ms,
                                             .interval_ms = r->beat_ms,
                                             .url = n->url};
        r->node_stats.conflicts++;
        return BEAT_CONFLICT;
    }
    r->node_stats.beats++;
    rise_above(r, w, b->have_epoch);
    if (n->epoch != 0 && b->epoch > n->epoch)
        start_anew(r, n, now);
    take(r, n, b, doc, now);
    return BEAT_TAKEN;
}

struct node *nodes_expect(struct registry *r, struct world *w, struct span id, struct moment now)
{
    struct node *n = world_node(w, id);

    if (n != NULL)
        return n;
    n = node_new(r, w, id, now);
    n->is_expected = true;
    w->nodes.expected++;
    if (w->nodes.settle_ms == 0)
        w->nodes.settle_ms = now.mono_ms + nodes_settle_ms(r);
    return n;
}

void node_restore(struct node *n, const struct node_record *as, struct moment now)
{
    set_text(&n->url, as->url);
    set_text(&n->internal_url, as->internal_url);
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
