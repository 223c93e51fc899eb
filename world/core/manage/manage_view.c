/* Only reading: what is shown is the registry's. */
#include "world/core/manage/manage_view.h"

#include "world/core/nodes/nodes.h"
#include "world/core/rooms/shards.h"

static void view_settings(struct json_out *o, const struct room_settings *s)
{
    json_out_text(o, "balancingStrategy", span_str(strategy_names[s->strategy]));
    json_out_bool(o, "public", s->is_public);
    json_out_u64(o, "maxPlayersPerShard", s->max_players);
    json_out_u64(o, "minShards", s->min_shards);
    if (s->max_shards != 0)
        json_out_u64(o, "maxShards", s->max_shards);
    if (s->leaving)
        json_out_bool(o, "leaving", true);
}

void view_room(struct json_out *o, const char *key, const struct room *room)
{
    struct span server = assignment_origin(room);

    json_out_open(o, key, '{');
    json_out_text(o, "name", room->name);
    view_settings(o, &room->settings);
    json_out_open(o, "shards", '{');
    json_out_u64(o, "total", room_shards(room));
    for (int i = 0; i < SHARD_STATUS_COUNT; i++)
        json_out_u64(o, shard_status_names[i], room->by_status[i]);
    json_out_close(o, '}');
    json_out_u64(o, "currentConnections", room->tally.open);
    json_out_u64(o, "reserved", room->tally.reserved);
    json_out_u64(o, "returning", room->tally.returning);
    json_out_u64(o, "maxConnections", room->tally.max);
    if (server.len != 0)
        json_out_text(o, "server", server);
    json_out_close(o, '}');
}

void view_drain(struct json_out *o, const char *key, const struct order_drain *d)
{
    json_out_open(o, key, '{');
    if (d->deadline_ms != 0)
        json_out_i64(o, "deadlineMs", d->deadline_ms);
    if (d->rate != 0)
        json_out_u64(o, "rate", d->rate);
    if (d->retry_max_ms != 0) {
        json_out_open(o, "retryMs", '[');
        json_out_i64(o, NULL, d->retry_min_ms);
        json_out_i64(o, NULL, d->retry_max_ms);
        json_out_close(o, ']');
    }
    json_out_close(o, '}');
}

void view_shard(struct json_out *o, const char *key, const struct shard *s, struct moment now)
{
    struct order_drain drain = shard_drain(s, now);

    json_out_open(o, key, '{');
    json_out_text(o, "shardId", s->id);
    json_out_text(o, "roomId", s->room->name);
    json_out_text(o, "worldId", s->room->world->id);
    json_out_text(o, "url", s->url);
    json_out_text(o, "status", span_str(shard_status_names[s->status]));
    json_out_u64(o, "currentConnections", s->open);
    json_out_u64(o, "reserved", s->reserved);
    json_out_u64(o, "returning", s->returning);
    json_out_u64(o, "maxConnections", s->max);
    json_out_i64(o, "lastHeartbeat", s->heartbeat_ms);
    if (s->owner == NULL)
        json_out_null(o, "node");
    else
        json_out_text(o, "node", s->owner->id);
    if (s->status == SHARD_DRAINING)
        view_drain(o, "drain", &drain);
    json_out_close(o, '}');
}

void view_node(struct json_out *o, const char *key, const struct node *n, struct moment now)
{
    struct order_drain drain = node_drain_left(n, now);

    json_out_open(o, key, '{');
    json_out_text(o, "node", n->id);
    json_out_text(o, "state", span_str(node_state_names[n->state]));
    json_out_bool(o, "usable", n->usable);
    json_out_text(o, "url", n->url);
    json_out_text(o, "internalUrl", n->internal_url);
    json_out_text(o, "version", n->version);
    json_out_i64(o, "epoch", n->epoch);
    json_out_i64(o, "silentMs", now.mono_ms - n->heard_ms);
    json_out_i64(o, "lagMs", n->lag_ms);
    json_out_u64(o, "currentConnections", n->connections);
    json_out_u64(o, "maxConnections", n->max_connections);
    json_out_u64(o, "shards", n->owned_count);
    json_out_u64(o, "adopted", n->adopted);
    json_out_bool(o, "draining", node_drains(n));
    if (n->drain_ordered)
        view_drain(o, "drain", &drain);
    json_out_close(o, '}');
}

void view_finding(struct json_out *o, const struct finding *f, const char *by, struct span who)
{
    view_finding_as(o, f, by, who, f->detail);
}

void view_finding_as(struct json_out *o, const struct finding *f, const char *by, struct span who,
                     struct span detail)
{
    const struct finding_kind *kind = &finding_kinds[f->check];

    json_out_open(o, NULL, '{');
    json_out_text(o, "check", kind->name);
    json_out_text(o, "level", finding_level_names[kind->level]);
    json_out_open(o, "by", '{');
    json_out_text(o, by, who);
    json_out_close(o, '}');
    json_out_text(o, "subject", f->subject);
    json_out_text(o, "detail", detail);
    json_out_text(o, "means", kind->means);
    json_out_text(o, "cure", kind->cure);
    json_out_i64(o, "since", f->since_ms);
    json_out_close(o, '}');
}
