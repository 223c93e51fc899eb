/* Back-pressure. Only those who send are paused, one by one: a sweep over all clients is left for
 * the rare case that this is not enough. */
#include "shard/core/pressure.h"

#include "shard/core/client.h"
#include "shard/core/node_state.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

/* What waits for the link in io. */
static size_t pressure_queued(const struct link *l)
{
    struct node *n = l->shard->node;
    return link_stands(l) ? n->port->link_queued(n->io, l->self) : 0;
}

/* What waits for it, here and in io. */
static size_t pressure_level(const struct link *l)
{
    return l->backlog.bytes + l->ghost_bytes + pressure_queued(l);
}

static bool pressure_is_high(const struct link *l)
{
    return pressure_level(l) >= node_link_high_water(l->shard->node->settings);
}

/* While the link is down, wait.c watches over what waits; its deadline is never the later one. */
static void set_deadline(struct link *l)
{
    const struct node *n = l->shard->node;
    if (link_stands(l))
        wheel_set(&l->shard->node->wheel, &l->deadline,
                  l->choked_since_ms + n->settings->link_wait_ms);
}

bool pressure_refuses(const struct link *l)
{
    return l->choked && pressure_level(l) > l->shard->node->settings->link_buffer;
}

bool pressure_refuses_joins(const struct link *l)
{
    return pressure_queued(l) > l->shard->node->settings->link_buffer;
}

void pressure_note(struct link *l, struct client *c, int64_t now)
{
    size_t level = pressure_level(l);
    if (level < node_link_high_water(l->shard->node->settings))
        return;
    client_set_paused(c, true);
    if (!l->choked) {
        l->choked = true;
        l->choked_since_ms = now;
        set_deadline(l);
    }
    if (level <= l->shard->node->settings->link_buffer)
        return;
    LIST_EACH (&l->shard->clients, it)
        client_set_paused(CONTAINER_OF(it, struct client, in_shard), true);
}

void pressure_relieve(struct link *l)
{
    if (l->choked && !pressure_is_high(l))
        pressure_release(l);
}

void pressure_update(struct link *l)
{
    pressure_relieve(l);
    if (l->choked)
        set_deadline(l);
}

void pressure_release(struct link *l)
{
    if (!l->choked)
        return;
    l->choked = false;
    if (link_stands(l))
        wheel_cancel(&l->shard->node->wheel, &l->deadline);
    LIST_EACH (&l->shard->clients, it)
        client_set_paused(CONTAINER_OF(it, struct client, in_shard), false);
}

void pressure_expire(struct link *l, int64_t now)
{
    if (!pressure_is_high(l)) {
        pressure_release(l);
        return;
    }
    l->choked = false;
    LIST_EACH_SAFE (&l->shard->clients, it, tmp) {
        struct client *c = CONTAINER_OF(it, struct client, in_shard);
        if (c->paused)
            client_close(c, NODE_LINK_OVERFLOW, now);
    }
    world_shard_changed(l->shard);
}
