/* What a beat changes: who the node is, what it holds, whether it lives. */
#include "common/base/log.h"
#include "common/proto/shard_id.h"
#include "world/core/findings/world_findings.h"
#include "world/core/nodes/nodes.h"

static bool is_newer(const struct beat *b, const struct node *n)
{
    return b->epoch > n->epoch || (b->epoch == n->epoch && b->seq > n->seq);
}

/* A later process has taken over the id: what the earlier one held is gone. */
static void start_anew(struct registry *r, struct node *n, struct moment now)
{
    log_info("node.restarted", "node=%.*s", SPAN_ARG(n->id));
    node_lose_clients(r, n, now);
    node_free_holdings(r, n);
    n->heard_full = false;
    n->was_missed = n->is_to_renew = false;
    n->alive_since_ms = now.mono_ms;
    n->adopted = 0;
    world_findings_restart(n);
    n->full_below = n->version_of_orders = ++n->world->nodes.version;
    node_forget_drops(n, INT64_MAX);
}

/* What a beat says of the process itself. */
static void take_head(struct registry *r, struct node *n, const struct beat *b, struct moment now)
{
    bool changed = node_set_text(&n->url, b->url);

    changed = node_set_text(&n->internal_url, b->internal_url) || changed;
    changed = changed || n->max_connections != b->max_connections;
    node_set_text(&n->version, b->version);
    n->epoch = b->epoch;
    n->seq = b->seq;
    n->have_version = b->have_epoch == n->world->epoch ? b->have_version : 0;
    n->heard_ms = now.mono_ms;
    n->lag_ms = b->lag_ms;
    n->max_connections = b->max_connections;
    n->world->change += n->connections != b->connections;
    n->connections = b->connections;
    n->world->change += n->draining != (b->draining || b->gone);
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
    node_free_holdings(r, n);
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
    world_findings_hear(n, b, doc, now);
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
        n = node_add(r, w, b->node_id, now);
    } else if (n->epoch != 0 && !is_newer(b, n)) {
        *conflict = (struct orders_conflict){.epoch = n->epoch,
                                             .age_ms = now.mono_ms - n->heard_ms,
                                             .interval_ms = r->beat_ms,
                                             .url = n->url};
        r->node_stats.conflicts++;
        world_findings_conflict(n, b, now);
        return BEAT_CONFLICT;
    }
    r->node_stats.beats++;
    rise_above(r, w, b->have_epoch);
    if (n->epoch != 0 && b->epoch > n->epoch)
        start_anew(r, n, now);
    take(r, n, b, doc, now);
    return BEAT_TAKEN;
}
