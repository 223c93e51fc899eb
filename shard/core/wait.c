/* Waits run out in the order in which they began, so one timer is enough: it is set for the oldest,
 * and looks again when it fires. */
#include "shard/core/wait.h"

#include <stdlib.h>

#include "shard/core/client.h"
#include "shard/core/node_state.h"
#include "shard/core/pressure.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

static int64_t wait_limit_ms(const struct link *l)
{
    const struct node_settings *settings = l->shard->node->settings;
    if (!link_has_server(l))
        return 0;
    return l->stood || l->held ? settings->link_wait_ms : settings->link_first_ms;
}

static struct client *first_client(const struct shard *shard)
{
    struct list *first = list_first(&shard->clients);
    return first == NULL ? NULL : CONTAINER_OF(first, struct client, in_shard);
}

int64_t wait_oldest_ms(const struct link *l)
{
    const struct waiting *w = backlog_first(&l->backlog);
    int64_t oldest = w == NULL ? INT64_MAX : w->since_ms;
    LIST_EACH (&l->shard->clients, it) {
        const struct client *c = CONTAINER_OF(it, struct client, in_shard);
        if (!c->told)
            return c->arrived_ms < oldest ? c->arrived_ms : oldest;
    }
    return oldest;
}

static void drop_oldest(struct link *l)
{
    struct waiting *w = backlog_pop(&l->backlog);
    struct session *s = w->session;
    l->shard->node->stats.link_lost_bytes += w->len;
    free(w);
    if (session_is_ghost(s) && s->queued == 0 && !s->told)
        session_ghost_drop(s);
}

/* Drops what has waited too long. True: a client that is still here lost a message. */
static bool drop_expired(struct link *l, int64_t began_by)
{
    bool felt = false;
    for (const struct waiting *w; (w = backlog_first(&l->backlog)) != NULL;) {
        if (w->since_ms > began_by)
            break;
        felt = felt || !session_is_ghost(w->session);
        drop_oldest(l);
    }
    return felt;
}

static void expire_first(struct link *l, int64_t now)
{
    int64_t began_by = now - wait_limit_ms(l);
    (void)drop_expired(l, began_by);
    for (struct client *c; (c = first_client(l->shard)) != NULL && c->arrived_ms <= began_by;)
        client_close(c, NODE_LINK_UNREACHABLE, now);
    if (shard_linked(l->shard) > 0)
        return;
    wait_drop_backlog(l);
    link_give_up(l);
}

static void expire_lost(struct link *l, int64_t now)
{
    int64_t began_by = now - wait_limit_ms(l);
    bool felt = drop_expired(l, began_by);
    if (felt)
        wait_drop_backlog(l);
    LIST_EACH_SAFE (&l->shard->clients, it, tmp) {
        struct client *c = CONTAINER_OF(it, struct client, in_shard);
        if (felt || (!c->told && c->arrived_ms <= began_by))
            client_close(c, NODE_LINK_LOST, now);
    }
}

void wait_start(struct link *l, int64_t now)
{
    if (!link_stands(l) && !timer_is_set(&l->deadline))
        wheel_set(&l->shard->node->wheel, &l->deadline, now + wait_limit_ms(l));
}

void wait_resume(struct link *l)
{
    int64_t oldest = wait_oldest_ms(l);
    if (oldest != INT64_MAX)
        wheel_set(&l->shard->node->wheel, &l->deadline, oldest + wait_limit_ms(l));
    else if (!link_stands(l))
        pressure_release(l); /* ghosts that a room knows hold nobody back */
}

void wait_expire(struct link *l, int64_t now)
{
    int64_t oldest = wait_oldest_ms(l);
    if (oldest == INT64_MAX)
        return;
    if (oldest + wait_limit_ms(l) <= now) {
        if (l->stood)
            expire_lost(l, now);
        else
            expire_first(l, now);
        world_shard_changed(l->shard);
        pressure_relieve(l);
    }
    wait_resume(l);
}

void wait_drop_backlog(struct link *l)
{
    while (backlog_first(&l->backlog) != NULL)
        drop_oldest(l);
}
