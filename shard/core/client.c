/* The life of a socket: what registers it and what forgets it. What the room hears of it is decided
 * in session.c and link.c. */
#include "shard/core/client.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "shard/core/node_state.h"
#include "shard/core/reason.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"

static struct node *client_node(const struct client *c)
{
    return c->session->shard->node;
}

struct client *client_absent(struct span request_info)
{
    assert(request_info.len > 0 && request_info.len <= UINT32_MAX);
    struct client *c = xmalloc(sizeof *c + request_info.len);
    *c = (struct client){.request_info_len = (uint32_t)request_info.len};
    memcpy(c->request_info, request_info.ptr, request_info.len);
    return c;
}

struct client *client_open(struct session *s, struct span request_info, int64_t now)
{
    assert(request_info.len <= UINT32_MAX);
    struct shard *shard = s->shard;
    struct node *n = shard->node;
    struct client *c = xmalloc(sizeof *c + request_info.len);
    *c = (struct client){
        .session = s, .arrived_ms = now, .request_info_len = (uint32_t)request_info.len};
    if (request_info.len > 0)
        memcpy(c->request_info, request_info.ptr, request_info.len);
    c->self = slots_add(&n->client_slots, c);
    list_push(s->passes ? &shard->passing : &shard->clients, &c->in_shard);
    list_push(&s->clients, &c->in_session);
    shard->client_count++;
    shard->passing_count += s->passes ? 1 : 0;
    seating_count(&shard->seating, session_sockets(shard, session_id(s)), true);
    n->stats.clients++;
    n->stats.passing += s->passes ? 1 : 0;
    n->stats.accepted++;
    log_debug("client.open", "shard=%.*s session=%.*s", SPAN_ARG(shard->id),
              SPAN_ARG(session_id(s)));
    n->stats.guests += shard->dropped ? 1 : 0;
    return c;
}

void client_forget(struct client *c, enum node_reason why, int64_t now)
{
    struct session *s = c->session;
    struct shard *shard = s->shard;
    struct node *n = shard->node;
    log_debug("client.left", "reason=%s shard=%.*s session=%.*s", node_reason_text(why),
              SPAN_ARG(shard->id), SPAN_ARG(session_id(s)));
    list_remove(&c->in_shard);
    list_remove(&c->in_session);
    slots_remove(&n->client_slots, c->self);
    shard->client_count--;
    shard->passing_count -= s->passes ? 1 : 0;
    size_t left = session_sockets(shard, session_id(s));
    seating_count(&shard->seating, left, false);
    n->stats.clients--;
    n->stats.passing -= s->passes ? 1 : 0;
    shard->parting -= c->parting ? 1 : 0;
    n->parting -= c->parting ? 1 : 0;
    n->stats.guests -= shard->dropped ? 1 : 0;
    n->stats.paused -= c->paused ? 1 : 0;
    n->stats.reasons[why]++;
    if (shard->client_count == 0 || (!s->passes && shard_linked(shard) == 0))
        shard->idle_since_ms = now;
    if (left == 0 && s->explicit && reason_keeps_seat(why))
        seating_keep(&shard->seating, session_id(s), now);
    if (list_empty(&s->clients))
        session_left(s, c); /* takes c */
    else
        free(c);
}

void client_close(struct client *c, enum node_reason why, int64_t now)
{
    client_close_saying(c, why, reason_words(why), now);
}

void client_close_saying(struct client *c, enum node_reason why, struct span words, int64_t now)
{
    struct node *n = client_node(c);
    struct handle self = c->self;
    client_forget(c, why, now);
    n->port->client_close(n->io, self, reason_code(why), words);
}

static void client_set_paused(struct client *c, bool paused)
{
    struct node *n = client_node(c);
    c->paused = paused;
    if (!c->parting)
        n->port->client_pause(n->io, c->self, paused);
}

void client_pause(struct client *c, int64_t now)
{
    struct node_stats *stats = &client_node(c)->stats;
    if (c->paused)
        return;
    c->paused_ms = now;
    stats->link_pauses++;
    stats->paused++;
    client_set_paused(c, true);
}

void client_resume(struct client *c)
{
    if (!c->paused)
        return;
    client_node(c)->stats.paused--;
    client_set_paused(c, false);
}

void client_set_parting(struct client *c)
{
    struct node *n = client_node(c);
    assert(!c->parting);
    c->parting = true;
    c->session->shard->parting++;
    n->parting++;
    if (!c->paused && !c->session->passes)
        n->port->client_pause(n->io, c->self, true);
}
