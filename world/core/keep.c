/* Records on their way to the store, and the counts that may wait for it. */
#include "world/core/keep.h"

#include "world/core/nodes/nodes.h"
#include "world/core/record.h"

static void put(struct core *core, enum record_kind kind, const struct world *world,
                struct span key)
{
    struct record record = {
        .kind = kind, .world = world->id, .key = key, .value = buf_span(&core->value)};

    core->port->store.put(core->port->store.ctx, &record);
}

void keep_room(struct core *core, const struct room *room)
{
    buf_reset(&core->value);
    record_add_room(&core->value, room);
    put(core, RECORD_ROOM, room->world, room->name);
}

void keep_shard(struct core *core, struct shard *shard)
{
    buf_reset(&core->value);
    record_add_shard(&core->value, shard);
    put(core, RECORD_SHARD, shard->room->world, shard->id);
    list_remove(&shard->count_node);
}

void keep_world(struct core *core, struct world *w)
{
    struct registry *r = &core->registry;

    LIST_EACH (&w->room_list, it)
        keep_room(core, CONTAINER_OF(it, struct room, node));
    LIST_EACH (&w->shard_list, it)
        keep_shard(core, CONTAINER_OF(it, struct shard, node));
    LIST_EACH (&w->nodes.list, it) {
        const struct node *n = CONTAINER_OF(it, struct node, in_world);
        if (n->url.ptr != NULL) /* else only shards name it */
            node_keep(r, n);
    }
    servers_keep(r, w);
    LIST_EACH (&w->room_list, it)
        bans_keep(r, CONTAINER_OF(it, struct room, node));
    retired_keep(r, w);
}

void keep_count_later(struct core *core, struct shard *shard)
{
    if (list_linked(&shard->count_node))
        return;
    shard->count_ms = core->now.mono_ms + CORE_COUNTS_MS;
    list_push(&core->counts, &shard->count_node);
}

void keep_counts(struct core *core)
{
    int64_t now = core->now.mono_ms;

    for (int n = 0; n < CORE_COUNTS_MAX && keep_due_ms(core) <= now; n++)
        keep_shard(core, CONTAINER_OF(list_first(&core->counts), struct shard, count_node));
    core->counts_ms = now + CORE_COUNTS_GAP_MS;
}

void keep_world_counts(struct core *core, const struct world *w)
{
    LIST_EACH_SAFE (&core->counts, it, after) {
        struct shard *shard = CONTAINER_OF(it, struct shard, count_node);
        if (shard->room->world == w)
            keep_shard(core, shard);
    }
}

int64_t keep_due_ms(const struct core *core)
{
    struct list *first = list_first(&core->counts);
    const struct shard *shard;

    if (first == NULL)
        return INT64_MAX;
    shard = CONTAINER_OF(first, struct shard, count_node);
    return shard->count_ms > core->counts_ms ? shard->count_ms : core->counts_ms;
}

void core_store_counts(struct core *core)
{
    for (struct list *it; (it = list_first(&core->counts)) != NULL;)
        keep_shard(core, CONTAINER_OF(it, struct shard, count_node));
}
