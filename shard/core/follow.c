/* Orders say how it should be; this makes it so, shard by shard. */
#include "shard/core/follow.h"

#include "common/base/log.h"
#include "common/proto/url.h"
#include "shard/core/missing.h"
#include "shard/core/node_state.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

static bool is_origin(struct span text)
{
    struct url_origin origin;
    if (url_origin_parse(text, &origin) != ERR_OK)
        return false;
    url_origin_clear(&origin);
    return true;
}

static void follow_room_server(struct shard *shard, const struct order *o, int64_t now)
{
    struct span server = o->room_server;
    if (server.len > 0 && !is_origin(server)) {
        log_error("orders.server", "shard=%.*s server=%.*s", SPAN_ARG(shard->id), SPAN_ARG(server));
        server = span_str(shard->link.server);
    }
    link_direct(&shard->link, server, o->hold, now);
}

void world_follow(struct world *w, const struct order *o, const json_t *bans, int64_t now)
{
    struct node *n = w->node;
    struct shard *shard;
    if (n->closing)
        return;
    enum err e = shard_reach_in(n, o->shard_id, w, now, &shard);
    if (e != ERR_OK) {
        n->stats.refused_orders++;
        log_debug("order.refused", "world=%.*s shard=%.*s why=%s", SPAN_ARG(w->id),
                  SPAN_ARG(o->shard_id), err_text(e));
        return;
    }
    shard_own(shard);
    shard->named_by = n->orders_followed;
    shard->status = o->status;
    shard->privacy = o->is_private ? SHARD_PRIVATE : SHARD_PUBLIC;
    shard->seating.bounded = true;
    shard->seating.max = o->max_connections;
    shard_name_room(shard, o->room_id, now);
    follow_room_server(shard, o, now);
    if (o->status == ORDER_DRAINING)
        drain_start(&shard->drain, &o->drain, now);
    else
        drain_stop(&shard->drain);
    bans_set(shard, bans, now);
    shard_changed(shard);
}

static void mark_named(struct world *w, const json_t *doc)
{
    struct order order;
    const json_t *bans;
    for (size_t at = 0; orders_next_shard(doc, &at, &order, &bans);) {
        struct shard *shard = map_get(&w->node->shard_map, order.shard_id);
        if (shard != NULL && shard->world == w)
            shard->named_by = w->node->orders_followed;
    }
}

static void drop_unnamed(struct world *w, int64_t now)
{
    LIST_EACH (&w->shards, it) {
        struct shard *shard = CONTAINER_OF(it, struct shard, in_world);
        if (shard->owned && shard->named_by != w->node->orders_followed)
            shard_drop(shard, now);
    }
}

static void drop_named(struct world *w, const json_t *doc, int64_t now)
{
    struct span id;
    for (size_t at = 0; orders_next_drop(doc, &at, &id);) {
        struct shard *shard = map_get(&w->node->shard_map, id);
        if (shard != NULL && shard->world == w)
            shard_drop(shard, now);
    }
}

/* Clients that came here before the shard went elsewhere follow its room all the same. */
static void follow_guests(struct world *w, const json_t *doc, int64_t now)
{
    struct order order;
    for (size_t at = 0; orders_next_guest(doc, &at, &order);) {
        struct shard *shard = map_get(&w->node->shard_map, order.shard_id);
        if (shard == NULL || shard->world != w || shard->owned)
            continue;
        shard->privacy = order.is_private ? SHARD_PRIVATE : SHARD_PUBLIC;
        follow_room_server(shard, &order, now);
    }
}

/* What goes makes room for what comes. */
static void follow_drops(struct world *w, const struct orders *o, const json_t *doc, int64_t now)
{
    if (o->full) {
        mark_named(w, doc);
        drop_unnamed(w, now);
    } else {
        drop_named(w, doc, now);
    }
}

static void follow_shards(struct world *w, const struct orders *o, const json_t *doc, int64_t now)
{
    struct order order;
    const json_t *bans;
    uint64_t refused = w->node->stats.refused_orders;
    w->node->orders_followed++;
    follow_drops(w, o, doc, now);
    for (size_t at = 0; orders_next_shard(doc, &at, &order, &bans);)
        world_follow(w, &order, bans, now);
    refused = w->node->stats.refused_orders - refused;
    if (refused > 0)
        log_warn("orders.refused", "world=%.*s shards=%llu", SPAN_ARG(w->id),
                 (unsigned long long)refused);
    follow_guests(w, doc, now);
    w->orders_version = o->version;
}

/* Any world may want the node drained. */
static void follow_drain(struct world *w, const struct orders *o, int64_t now)
{
    struct node *n = w->node;
    bool drained = false;
    w->drains_node = o->drain_node;
    LIST_EACH (&n->worlds, it)
        drained = drained || CONTAINER_OF(it, struct world, in_node)->drains_node;
    if (o->drain_node)
        ending_order(n, &o->drain, now);
    else if (!drained)
        ending_revert(n);
}

static void follow_log(struct world *w, const struct order_log *o, int64_t now)
{
    if (o->id <= w->log_order)
        return;
    w->log_order = o->id;
    log_override((enum log_level)o->level, o->ttl_ms > 0 ? now + o->ttl_ms : 0);
}

/* The world has another owner, or begins anew. */
static void follow_epoch(struct world *w, const struct orders *o)
{
    bool first = w->epoch == 0;
    w->epoch = o->epoch;
    w->orders_version = 0;
    if (!first || !w->news.told_all)
        w->news.full = true;
}

bool follow_orders(struct world *w, const struct orders *o, const json_t *doc, int64_t now)
{
    if (o->epoch < w->epoch) {
        w->node->stats.stale_orders++;
        log_warn("orders.stale", "world=%.*s epoch=%lld seen=%lld", SPAN_ARG(w->id),
                 (long long)o->epoch, (long long)w->epoch);
        return false;
    }
    if (o->epoch > w->epoch)
        follow_epoch(w, o);
    w->others = o->others;
    if (o->interval_ms > 0)
        w->interval_ms =
            o->interval_ms < WORLD_INTERVAL_MAX_MS ? o->interval_ms : WORLD_INTERVAL_MAX_MS;
    /* A delta on the orders of another epoch, or on none at all, is none. */
    if (!o->unchanged && (o->full || w->orders_version > 0))
        follow_shards(w, o, doc, now);
    if (!o->unchanged)
        follow_drain(w, o, now);
    follow_log(w, &o->log, now);
    checks_ask(&w->node->checks, w, &o->checkup, now);
    if (o->renew)
        missing_refute(w);
    missing_follow(w, doc, now);
    return true;
}
