/* Worlds that this process comes to decide for, and those that it does not any more. What was
 * waiting in them goes with them. */
#include <assert.h>

#include "common/base/log.h"
#include "world/core/admins.h"
#include "world/core/api/call.h"
#include "world/core/core.h"
#include "world/core/keep.h"
#include "world/core/nodes/nodes.h"

void core_take_world(struct core *core, struct span id, int64_t epoch, int64_t id_floor_ms,
                     struct moment now)
{
    struct world *w;

    assert(registry_world(&core->registry, id) == NULL && epoch > 0);
    core->now = now;
    w = registry_make_world(&core->registry, id);
    w->epoch = epoch;
    w->id_ms = id_floor_ms;
    log_info("world.taken", "world=%.*s epoch=%lld", SPAN_ARG(id), (long long)epoch);
}

void core_raise_world(struct core *core, struct span id, int64_t epoch)
{
    struct world *w = registry_world(&core->registry, id);

    if (w == NULL)
        return;
    assert(epoch >= w->epoch);
    w->epoch = epoch;
}

void core_each_node(struct core *core, struct span world,
                    void (*fn)(void *ctx, struct span node, struct span url), void *ctx)
{
    struct world *w = registry_world(&core->registry, world);

    if (w == NULL)
        return;
    LIST_EACH (&w->nodes.list, it) {
        const struct node *n = CONTAINER_OF(it, struct node, in_world);
        if (node_address(n).len > 0)
            fn(ctx, n->id, node_address(n));
    }
}

void core_put_world(struct core *core, struct span id)
{
    struct world *w = registry_world(&core->registry, id);

    if (w != NULL)
        keep_world(core, w);
}

void core_store_world_counts(struct core *core, struct span id)
{
    struct world *w = registry_world(&core->registry, id);

    if (w != NULL)
        keep_world_counts(core, w);
}

/* Whoever is passed on is so once the world is gone. */
void core_drop_world(struct core *core, struct span id, struct moment now)
{
    struct world *w = registry_world(&core->registry, id);
    struct list parked, pending;

    if (w == NULL)
        return;
    core->now = now;
    list_init(&parked);
    list_init(&pending);
    log_info("world.dropped", "world=%.*s epoch=%lld rooms=%zu shards=%zu admins=%zu",
             SPAN_ARG(w->id), (long long)w->epoch, w->rooms.count, w->shards.count, w->feed.count);
    admins_drop(core, w);
    events_drop(&core->events, w);
    park_take_out(&core->park, w, &parked);
    pending_take_out(core, w->id, &pending);
    registry_forget_world(&core->registry, w);
    parked_pass(core, &parked);
    pending_deny(core, &pending);
    core_wake(core);
}

int64_t core_world_epoch(const struct core *core, struct span id)
{
    const struct world *w = registry_world(&core->registry, id);

    return w == NULL ? 0 : w->epoch;
}
