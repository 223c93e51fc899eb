/* Looks into the node's core. */
#include "tests/sim/spy.h"

#include "shard/core/node_state.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

static struct spied_shard spied(const struct shard *s)
{
    return (struct spied_shard){
        .id = s->id,
        .owned = s->owned,
        .is_bounded = s->seating.bounded,
        .is_draining = s->status == ORDER_DRAINING,
        .max = s->seating.max,
        .clients = s->client_count,
        .kept = seating_kept(&s->seating),
        .doubles = s->seating.doubles,
    };
}

bool spy_shard(const struct node *n, struct span id, struct spied_shard *out)
{
    const struct shard *s = map_get(&n->shard_map, id);
    if (s != NULL)
        *out = spied(s);
    return s != NULL;
}

bool spy_next_shard(const struct node *n, size_t *at, struct spied_shard *out)
{
    size_t i = 0;
    LIST_EACH (&n->shards, it) {
        if (i++ == *at) {
            *out = spied(CONTAINER_OF(it, struct shard, in_node));
            ++*at;
            return true;
        }
    }
    return false;
}

bool spy_orders(const struct node *n, struct span world, int64_t *epoch, int64_t *version)
{
    const struct world *w = map_get(&n->world_map, world);
    if (w == NULL)
        return false;
    *epoch = w->epoch;
    *version = w->orders_version;
    return true;
}

int64_t spy_epoch(const struct node *n)
{
    return n->epoch;
}

bool spy_is_closing(const struct node *n)
{
    return n->closing;
}

bool spy_is_newcomer(const struct node *n, struct span shard, struct span session)
{
    const struct shard *s = map_get(&n->shard_map, shard);
    if (s == NULL || session.len == 0)
        return true;
    return session_sockets(s, session) == 0 && map_get(&s->seating.kept, session) == NULL;
}

struct span spy_room(const struct node *n, struct handle link)
{
    const struct link *l = slots_get(&n->link_slots, link);
    return l->shard->room;
}

bool spy_link(const struct node *n, struct span shard, struct handle *out)
{
    const struct shard *s = map_get(&n->shard_map, shard);
    if (s == NULL || handle_is_none(s->link.self))
        return false;
    *out = s->link.self;
    return true;
}
