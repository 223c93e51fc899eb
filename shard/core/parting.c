/* Those of one shard that part in one step share one ping, one timer and one list of handles, so
 * that a client costs nothing for it before it parts. */
#include "shard/core/parting.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "shard/core/client.h"
#include "shard/core/node_state.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

struct parting {
    struct list node; /* of those gathered, then of shard->partings */
    struct shard *shard;
    struct parting_how how;
    bool linked;   /* some of them go by the link */
    uint32_t ping; /* the number whose pong it waits for; 0: none */
    struct timer timer;
    struct buf clients; /* struct handle */
};

static void parting_free(struct parting *p)
{
    list_remove(&p->node);
    wheel_cancel(&p->shard->node->wheel, &p->timer);
    buf_clear(&p->clients);
    free(p);
}

/* Closes all that are still there. */
static void parting_finish(struct parting *p, int64_t now)
{
    struct shard *shard = p->shard;
    char words[64];
    int len = snprintf(words, sizeof words, "restart;retry=%" PRId64 "-%" PRId64,
                       p->how.retry_min_ms, p->how.retry_max_ms);
    for (size_t at = 0; at < p->clients.len; at += sizeof(struct handle)) {
        struct handle h;
        memcpy(&h, p->clients.data + at, sizeof h);
        struct client *c = slots_get(&shard->node->client_slots, h);
        if (c != NULL)
            client_close_saying(c, NODE_DRAINED, span_of(words, (size_t)len), now);
    }
    parting_free(p);
    world_shard_changed(shard);
    shard_changed(shard);
}

static void parting_on_timer(struct timer *t, int64_t now)
{
    parting_finish(CONTAINER_OF(t, struct parting, timer), now);
}

static void parting_set_timer(struct parting *p, int64_t due_ms)
{
    wheel_set(&p->shard->node->wheel, &p->timer,
              due_ms < p->how.until_ms ? due_ms : p->how.until_ms);
}

/* The one of this step, made if need be. */
static struct parting *parting_of(struct list *gathered, struct shard *shard,
                                  const struct parting_how *how)
{
    LIST_EACH (gathered, it) {
        struct parting *p = CONTAINER_OF(it, struct parting, node);
        if (p->shard == shard)
            return p;
    }
    struct parting *p = xcalloc(1, sizeof *p);
    p->shard = shard;
    p->how = *how;
    p->timer.fire = parting_on_timer;
    list_push(gathered, &p->node);
    return p;
}

static struct session *first_staying_of(const struct list *clients)
{
    LIST_EACH (clients, it) {
        struct client *c = CONTAINER_OF(it, struct client, in_shard);
        if (!c->parting)
            return c->session;
    }
    return NULL;
}

/* Those who pass come last: their servers need no time to answer, they are their own. */
static struct session *first_staying(const struct shard *shard)
{
    struct session *s = first_staying_of(&shard->clients);
    if (s == NULL)
        s = first_staying_of(&shard->passing);
    assert(s != NULL); /* somebody stays */
    return s;
}

uint64_t parting_gather(struct list *gathered, struct shard *shard, const struct parting_how *how)
{
    struct parting *p = parting_of(gathered, shard, how);
    struct session *s = first_staying(shard);
    uint64_t sockets = 0;
    p->linked = p->linked || !s->passes;
    LIST_EACH (&s->clients, it) {
        struct client *c = CONTAINER_OF(it, struct client, in_session);
        if (c->parting)
            continue;
        client_set_parting(c);
        buf_add(&p->clients, &c->self, sizeof c->self);
        sockets++;
    }
    return sockets;
}

void parting_begin(struct list *gathered, int64_t now)
{
    for (struct list *first; (first = list_first(gathered)) != NULL;) {
        struct parting *p = CONTAINER_OF(first, struct parting, node);
        list_remove(first);
        list_push(&p->shard->partings, &p->node);
        /* While the link is not up, what was said waits in the backlog, for longer than the client
         * has. */
        if (p->linked && p->shard->link.state == LINK_UP)
            p->ping = link_ping(&p->shard->link);
        parting_set_timer(p, p->ping == 0 ? now : now + PARTING_MAX_MS);
    }
}

void parting_heard(struct shard *shard, uint32_t number, int64_t now)
{
    LIST_EACH (&shard->partings, it) {
        struct parting *p = CONTAINER_OF(it, struct parting, node);
        if (p->ping == 0 || (int32_t)(number - p->ping) < 0)
            continue;
        p->ping = 0;
        parting_set_timer(p, now + PARTING_SETTLE_MS);
    }
}

void parting_clear(struct shard *shard)
{
    for (struct list *first; (first = list_first(&shard->partings)) != NULL;)
        parting_free(CONTAINER_OF(first, struct parting, node));
}
