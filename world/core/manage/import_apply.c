/* Records that were judged come in, kind by kind: rooms before their shards and bans. */
#include "world/core/manage/import.h"
#include "world/core/nodes/nodes.h"
#include "world/core/record.h"
#include "world/core/rooms/shards.h"

static bool apply_room(struct registry *r, struct world *w, const struct item *it)
{
    struct room *room = world_room(w, it->key);
    struct room_settings settings;

    if (record_read_room(span_str(it->value), &settings) != ERR_OK)
        return false; /* it was judged */
    if (room == NULL)
        (void)registry_add_room(r, w, it->key, &settings);
    else
        registry_set_room(r, room, &settings);
    return true;
}

static void make_shard(struct registry *r, struct room *room, const struct item *it,
                       const struct shard_record *stored, struct moment now)
{
    struct shard_restored as = {
        .id = it->key,
        .url = stored->url,
        .node = stored->node,
        .max = stored->max,
        .status = stored->status,
        .drain = stored->drain,
        .drain_until_ms = stored->drain_until_ms,
    };
    struct shard *s = registry_restore_shard(r, room, &as, now);

    r->watch.shard_changed(r->watch.ctx, s, SHARD_FIELDS);
}

static bool apply_shard(struct registry *r, struct world *w, const struct item *it,
                        struct moment now)
{
    struct shard *s = world_shard(w, it->key);
    struct shard_record stored;

    if (record_read_shard(span_str(it->value), &stored) != ERR_OK)
        return false;
    if (s == NULL) {
        make_shard(r, world_room(w, stored.room), it, &stored, now);
    } else {
        registry_set_max(r, s, stored.max);
        (void)registry_set_status(r, s, stored.status, &stored.drain, now);
    }
    shard_record_clear(&stored);
    return true;
}

/* Of a node that is there its own beats know better. */
static bool apply_node(struct registry *r, struct world *w, const struct item *it,
                       struct moment now)
{
    struct node_record stored;
    struct node *n;
    bool good = record_read_node(span_str(it->value), &stored) == ERR_OK && !it->exists;

    if (good) {
        n = nodes_expect(r, w, it->key, now);
        node_restore(n, &stored, now);
        node_keep(r, n);
    }
    json_decref(stored.doc);
    return good;
}

static bool apply_server(struct registry *r, struct world *w, const struct item *it,
                         struct moment now)
{
    struct world_server *at;
    bool registered, draining;
    enum err e;

    if (record_read_server(span_str(it->value), &registered, &draining) != ERR_OK)
        return false;
    e = servers_add(r, w, it->key, now, &at);
    if (e != ERR_OK && e != ERR_EXISTS)
        return false;
    servers_drain(r, at, draining);
    return true;
}

/* One that is over is not worth a word. */
static bool apply_ban(struct registry *r, struct world *w, const struct item *it, struct moment now)
{
    struct ban_record stored;
    bool good =
        ban_read_record(span_str(it->value), &stored) == ERR_OK && stored.until_ms > now.wall_ms &&
        ban_put(r, world_room(w, stored.room), stored.session, stored.until_ms, now) != NULL;

    json_decref(stored.doc);
    return good;
}

/* False: it was skipped. */
static bool apply(struct registry *r, struct world *w, const struct item *it, struct moment now)
{
    switch ((enum record_kind)it->kind) {
    case RECORD_ROOM:
        return apply_room(r, w, it);
    case RECORD_SHARD:
        return apply_shard(r, w, it, now);
    case RECORD_NODE:
        return apply_node(r, w, it, now);
    case RECORD_SERVER:
        return apply_server(r, w, it, now);
    case RECORD_BAN:
        return apply_ban(r, w, it, now);
    case RECORD_RETIRED:
    case RECORD_COUNT:
        break;
    }
    return false;
}

void import_apply(struct import *im, struct import_counts *out)
{
    struct registry *r = &im->m->call->core->registry;
    struct world *w = manage_make_world(im->m);
    struct moment now = im->m->call->now;

    *out = (struct import_counts){0};
    for (unsigned kind = 0; kind < RECORD_COUNT; kind++) {
        for (size_t i = 0; i < im->count; i++) {
            if (im->items[i].kind != kind)
                continue;
            if (apply(r, w, &im->items[i], now))
                out->applied[kind]++;
            else
                out->skipped++;
        }
    }
    nodes_place_strays(r, w, now);
}
