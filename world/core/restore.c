/* The way back from the store into the registry. Nothing that is restored is stored again or told
 * to admins. */
#include "common/base/log.h"
#include "common/proto/shard_id.h"
#include "world/core/core.h"
#include "world/core/nodes/nodes.h"
#include "world/core/record.h"
#include "world/core/rooms/shards.h"

static const char *restore_assignment(struct core *core, struct room *room, struct span value,
                                      struct moment now)
{
    struct assignment_record stored;
    bool good = record_read_assignment(value, &stored) == ERR_OK &&
                assignment_restore(&core->registry, room, stored.server, stored.next,
                                   stored.closing, now) == ERR_OK;

    json_decref(stored.doc);
    return good ? NULL : "bad-value";
}

/* Answers what is wrong with the record; NULL: nothing. */
static const char *restore_room(struct core *core, const struct record *r, struct moment now)
{
    struct world *world = registry_make_world(&core->registry, r->world);
    struct room_settings settings;

    if (record_read_room(r->value, &settings) != ERR_OK)
        return "bad-value";
    if (world_room(world, r->key) != NULL)
        return "twice";
    return restore_assignment(
        core, registry_restore_room(&core->registry, world, r->key, &settings), r->value, now);
}

static const char *restore_shard(struct core *core, const struct record *r, struct moment now)
{
    struct world *world = registry_make_world(&core->registry, r->world);
    struct shard_record stored;
    struct shard_restored shard;
    const char *why = NULL;
    struct room *room;

    if (shard_id_ms(r->key) > CORE_ID_MS_MAX)
        return "bad-key";
    if (record_read_shard(r->value, &stored) != ERR_OK)
        return "bad-value";
    shard = (struct shard_restored){
        .id = r->key,
        .url = stored.url,
        .node = stored.node,
        .open = stored.open,
        .max = stored.max,
        .status = stored.status,
        .drain = stored.drain,
        .drain_until_ms = stored.drain_until_ms,
    };
    room = world_room(world, stored.room);
    if (room == NULL)
        why = "unknown-room";
    else if (world_shard(world, r->key) != NULL)
        why = "twice";
    else
        (void)registry_restore_shard(&core->registry, room, &shard, now);
    shard_record_clear(&stored);
    return why;
}

static const char *restore_node(struct core *core, const struct record *r, struct moment now)
{
    struct world *world = registry_make_world(&core->registry, r->world);
    struct node_record stored;
    const char *why = NULL;

    if (record_read_node(r->value, &stored) != ERR_OK)
        why = "bad-value";
    else if (r->key.len == 0 || r->key.len > BEAT_NODE_ID_MAX)
        why = "bad-key";
    else
        node_restore(nodes_expect(&core->registry, world, r->key, now), &stored, now);
    json_decref(stored.doc);
    return why;
}

static const char *restore_server(struct core *core, const struct record *r, struct moment now)
{
    struct world *world = registry_make_world(&core->registry, r->world);
    bool registered, draining;
    enum err e;

    if (record_read_server(r->value, &registered, &draining) != ERR_OK)
        return "bad-value";
    e = servers_restore(&core->registry, world, r->key, registered, draining, now);
    if (e == ERR_EXISTS)
        return "twice";
    return e == ERR_OK ? NULL : "bad-key";
}

static const char *restore_retired(struct core *core, const struct record *r)
{
    struct world *world = registry_make_world(&core->registry, r->world);
    int64_t until_ms;

    if (record_read_retired(r->value, &until_ms) != ERR_OK)
        return "bad-value";
    retired_restore(&world->retired, r->key, until_ms);
    return NULL;
}

static const char *restore_ban(struct core *core, const struct record *r, struct moment now)
{
    struct ban_record stored;
    const char *why = NULL;
    struct room *room;

    if (ban_read_record(r->value, &stored) != ERR_OK) {
        why = "bad-value";
    } else {
        room = world_room(registry_world(&core->registry, r->world), stored.room);
        if (room == NULL)
            why = "unknown-room";
        else
            ban_restore(&core->registry, room, stored.session, stored.until_ms, now);
    }
    json_decref(stored.doc);
    return why;
}

static const char *restore(struct core *core, const struct record *r, struct moment now)
{
    if (!world_id_is_valid(r->world))
        return "bad-world";
    switch (r->kind) {
    case RECORD_ROOM:
        return restore_room(core, r, now);
    case RECORD_SHARD:
        return restore_shard(core, r, now);
    case RECORD_NODE:
        return restore_node(core, r, now);
    case RECORD_RETIRED:
        return restore_retired(core, r);
    case RECORD_SERVER:
        return restore_server(core, r, now);
    case RECORD_BAN:
        return restore_ban(core, r, now);
    case RECORD_COUNT:
        return NULL;
    }
    return NULL;
}

enum err core_restore(struct core *core, const struct record *r, struct moment now)
{
    const char *why;

    core->now = now;
    why = restore(core, r, now);
    if (why == NULL) {
        core_wake(core); /* others may be served all the while */
        return ERR_OK;
    }
    log_error("restore.refused", "world=%.*s kind=%s key=%.*s reason=%s", SPAN_ARG(r->world),
              record_kind_names[r->kind], SPAN_ARG(r->key), why);
    return ERR_SYNTAX;
}
