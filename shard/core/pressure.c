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

/* Deadlines are looked at no more often than this. */
enum { PAUSE_LOOK_MS = 100 };

/* When the longest pause began; INT64_MAX: nobody is paused. */
static int64_t longest_pause_ms(const struct link *l)
{
    int64_t began = INT64_MAX;
    LIST_EACH (&l->shard->clients, it) {
        const struct client *c = CONTAINER_OF(it, struct client, in_shard);
        if (c->paused && c->paused_ms < began)
            began = c->paused_ms;
    }
    return began;
}

/* `began`: the longest pause. While the link is down, wait.c watches over what waits; its deadline
 * is never the later one. */
static void set_deadline(struct link *l, int64_t began, int64_t earliest)
{
    struct node *n = l->shard->node;
    int64_t due = began + n->settings->link_wait_ms;
    if (link_stands(l))
        wheel_set(&n->wheel, &l->deadline, due < earliest ? earliest : due);
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
    client_pause(c, now);
    if (!l->choked) {
        l->choked = true;
        set_deadline(l, now, now);
    }
    if (level <= l->shard->node->settings->link_buffer)
        return;
    LIST_EACH (&l->shard->clients, it)
        client_pause(CONTAINER_OF(it, struct client, in_shard), now);
}

void pressure_relieve(struct link *l)
{
    if (l->choked && !pressure_is_high(l))
        pressure_release(l);
}

void pressure_update(struct link *l)
{
    pressure_relieve(l);
    int64_t began = l->choked ? longest_pause_ms(l) : INT64_MAX;
    l->choked = began != INT64_MAX;
    if (l->choked)
        set_deadline(l, began, 0);
}

void pressure_release(struct link *l)
{
    if (!l->choked)
        return;
    l->choked = false;
    if (link_stands(l))
        wheel_cancel(&l->shard->node->wheel, &l->deadline);
    LIST_EACH (&l->shard->clients, it)
        client_resume(CONTAINER_OF(it, struct client, in_shard));
}

void pressure_expire(struct link *l, int64_t now)
{
    if (!pressure_is_high(l)) {
        pressure_release(l);
        return;
    }
    int64_t began_by = now - l->shard->node->settings->link_wait_ms;
    bool closed = false;
    LIST_EACH_SAFE (&l->shard->clients, it, tmp) {
        struct client *c = CONTAINER_OF(it, struct client, in_shard);
        if (!c->paused || c->paused_ms > began_by)
            continue;
        client_close(c, NODE_LINK_OVERFLOW, now);
        closed = true;
    }
    int64_t began = longest_pause_ms(l);
    l->choked = began != INT64_MAX;
    if (l->choked)
        set_deadline(l, began, now + PAUSE_LOOK_MS);
    if (closed)
        world_shard_changed(l->shard);
}
