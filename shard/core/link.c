/* The link's state machine. It owns the handle that io knows the link by: a new one for each dial,
 * so that late news of an old connection find nothing. */
#include "shard/core/link.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/proto/envelope.h"
#include "common/proto/json_text.h"
#include "common/proto/ws.h"
#include "shard/core/client.h"
#include "shard/core/node_state.h"
#include "shard/core/pressure.h"
#include "shard/core/recall.h"
#include "shard/core/replay.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"
#include "shard/core/wait.h"
#include "shard/core/world.h"

/* How long a shard without clients goes on dialling to tell the room who left. */
enum { LINK_FAREWELL_MS = 60000 };
/* A link that is to be closed: for the room to hear what was said, and then to answer it. */
enum { LINK_FLUSH_MS = 1000, LINK_SETTLE_MS = 100 };

static const uint8_t link_next[] = {
    [LINK_IDLE] = 1u << LINK_DIALING | 1u << LINK_WAITING,
    [LINK_DIALING] = 1u << LINK_REPLAYING | 1u << LINK_WAITING | 1u << LINK_IDLE,
    [LINK_REPLAYING] = 1u << LINK_UP | 1u << LINK_WAITING | 1u << LINK_IDLE | 1u << LINK_CLOSING,
    [LINK_UP] = 1u << LINK_WAITING | 1u << LINK_IDLE | 1u << LINK_CLOSING,
    [LINK_WAITING] = 1u << LINK_DIALING | 1u << LINK_IDLE,
    [LINK_CLOSING] = 1u << LINK_WAITING | 1u << LINK_IDLE,
};

static struct node *link_node(const struct link *l)
{
    return l->shard->node;
}

/* Where it goes when it is dialled now. */
static struct span link_target(const struct link *l)
{
    struct node *n = link_node(l);
    if (l->server != NULL)
        return span_str(l->server);
    if (n->port->own_server == NULL)
        return (struct span){0};
    return n->port->own_server(n->io, l->shard->room);
}

static void link_dial(struct link *l)
{
    struct node *n = link_node(l);
    link_go(l, LINK_DIALING);
    l->self = slots_add(&n->link_slots, l);
    n->stats.link_dials++;
    free(l->dialled);
    l->dialled = xspandup(link_target(l));
    n->port->link_dial(n->io, l->self, l->shard->id, l->shard->world->id, l->shard->room,
                       span_str(l->server));
}

/* Worth dialling again: for ever for clients, for a while to tell the room who left. */
static bool link_is_wanted(const struct link *l, int64_t now)
{
    const struct shard *shard = l->shard;
    if (shard->node->closing)
        return false;
    if (shard_linked(shard) > 0)
        return true;
    return shard->sessions.count > 0 && now - shard->idle_since_ms < LINK_FAREWELL_MS;
}

static void link_rest(struct link *l)
{
    backoff_reset(&l->backoff);
    link_go(l, LINK_IDLE);
}

/* Down, and to be dialled in so many ms, unless it is held: then when it may be. */
static void link_wait(struct link *l, int64_t wait_ms, int64_t now)
{
    link_go(l, LINK_WAITING);
    if (!l->held)
        wheel_set(&link_node(l)->wheel, &l->step, now + wait_ms);
}

static int64_t link_retry_wait(struct link *l)
{
    struct node *n = link_node(l);
    int64_t wait = backoff_next(&l->backoff, &n->rng);
    /* Whoever waits for the first link gets at least one more try before the wait is over. */
    int64_t most = n->settings->link_first_ms / 2;
    return l->stood || wait < most ? wait : most;
}

static void link_on_step(struct timer *t, int64_t now)
{
    struct link *l = CONTAINER_OF(t, struct link, step);
    if (link_stands(l)) {
        replay_finish(l);
        return;
    }
    if (l->state == LINK_CLOSING) {
        link_node(l)->port->link_finish(link_node(l)->io, l->self, WS_CODE_NORMAL);
        return;
    }
    assert(l->state == LINK_WAITING);
    if (link_is_wanted(l, now))
        link_dial(l);
    else
        link_rest(l);
}

static void link_on_deadline(struct timer *t, int64_t now)
{
    struct link *l = CONTAINER_OF(t, struct link, deadline);
    if (link_stands(l))
        pressure_expire(l, now);
    else
        wait_expire(l, now);
    shard_changed(l->shard);
}

/* io knows it no more. */
static struct handle link_disown(struct link *l)
{
    struct handle self = l->self;
    slots_remove(&link_node(l)->link_slots, self);
    l->self = (struct handle){.gen = 0};
    return self;
}

void link_init(struct link *l, struct shard *shard)
{
    const struct node_settings *settings = shard->node->settings;
    *l = (struct link){
        .shard = shard,
        .backoff = {.min_ms = settings->link_retry_min_ms, .max_ms = settings->link_retry_max_ms},
        .step.fire = link_on_step,
        .deadline.fire = link_on_deadline,
    };
    backlog_init(&l->backlog);
    backlog_init(&l->unsent);
    receipt_init(&l->receipt);
    list_init(&l->leaving_order);
    list_init(&l->ghosts);
}

void link_go(struct link *l, enum link_state next)
{
    assert(link_next[l->state] >> next & 1u);
    wheel_cancel(&link_node(l)->wheel, &l->step);
    l->state = next;
    world_note(l->shard);
}

void link_need(struct link *l)
{
    if (l->state != LINK_IDLE || !link_has_server(l) || link_node(l)->closing)
        return;
    if (l->held)
        link_go(l, LINK_WAITING);
    else
        link_dial(l);
}

/* It stands no more; whoever was on it waits. */
static void link_fall(struct link *l)
{
    link_node(l)->stats.links_up--;
    receipt_stop(l);
    replay_interrupt(l);
}

/* Begins to close it: nothing more is written, what was written is heard and answered first. */
static void link_leave(struct link *l, int64_t now)
{
    struct node *n = link_node(l);
    wheel_cancel(&n->wheel, &l->deadline);
    uint32_t ping = receipt_ask(l);
    link_fall(l);
    l->receipt.ping = l->last_ping = ping;
    link_go(l, LINK_CLOSING);
    wheel_set(&n->wheel, &l->step, now + LINK_FLUSH_MS);
    wait_resume(l);
    pressure_relieve(l);
}

/* Leaves where it is, or is about to be, to go where it is told. */
static void link_turn(struct link *l, int64_t now)
{
    struct node *n = link_node(l);
    switch (l->state) {
    case LINK_DIALING:
        n->port->link_close(n->io, link_disown(l), WS_CODE_NORMAL);
        link_wait(l, 0, now);
        break;
    case LINK_REPLAYING:
    case LINK_UP:
        link_leave(l, now);
        break;
    case LINK_WAITING:
        if (l->held)
            wheel_cancel(&n->wheel, &l->step);
        else
            wheel_set(&n->wheel, &l->step, now);
        break;
    case LINK_IDLE:
    case LINK_CLOSING:
        break;
    }
}

/* False: it is there, or on its way there, of its own choice even. */
static bool link_name_server(struct link *l, struct span server)
{
    char *was = xspandup(handle_is_none(l->self) ? link_target(l) : span_str(l->dialled));
    char *named = server.len == 0 ? NULL : xspandup(server); /* it may be l->server */
    free(l->server);
    l->server = named;
    bool moves = !span_eq(span_str(was), link_target(l));
    free(was);
    return moves;
}

/* Those who pass to where it was. While it is held nobody comes in who would. */
static void close_followers(struct shard *shard, int64_t now)
{
    bool any = false;
    LIST_EACH_SAFE (&shard->passing, it, tmp) {
        struct client *c = CONTAINER_OF(it, struct client, in_shard);
        if (!c->follows)
            continue;
        client_close(c, NODE_ROOM_MOVED, now);
        any = true;
    }
    if (any)
        world_shard_changed(shard);
}

void link_direct(struct link *l, struct span server, bool hold, int64_t now)
{
    if (!link_name_server(l, server) && hold == l->held)
        return;
    log_info("link.direct", "shard=%.*s server=%.*s hold=%d", SPAN_ARG(l->shard->id),
             SPAN_ARG(server), hold);
    l->held = hold;
    link_turn(l, now);
    close_followers(l->shard, now);
    world_note(l->shard);
    shard_changed(l->shard);
}

void link_redial(struct link *l, int64_t now)
{
    link_turn(l, now);
    shard_changed(l->shard);
}

bool link_has_server(const struct link *l)
{
    return l->server != NULL || link_node(l)->settings->has_rooms;
}

enum beat_link link_beat_state(const struct link *l)
{
    switch (l->state) {
    case LINK_IDLE:
        return BEAT_LINK_IDLE;
    case LINK_WAITING:
        return l->held ? BEAT_LINK_IDLE : BEAT_LINK_DOWN;
    case LINK_DIALING:
        return BEAT_LINK_DOWN;
    case LINK_REPLAYING:
    case LINK_UP:
    case LINK_CLOSING:
        return BEAT_LINK_UP;
    }
    return BEAT_LINK_IDLE;
}

struct span link_server(const struct link *l)
{
    return span_str(handle_is_none(l->self) ? l->server : l->dialled);
}

void link_clear(struct link *l)
{
    recall_clear(l);
    free(l->server);
    free(l->dialled);
    l->server = l->dialled = NULL;
}

void link_give_up(struct link *l)
{
    struct node *n = link_node(l);
    if (l->state == LINK_DIALING)
        n->port->link_close(n->io, link_disown(l), WS_CODE_NORMAL);
    if (l->state == LINK_DIALING || l->state == LINK_WAITING)
        link_rest(l);
}

void link_end(struct link *l)
{
    struct node *n = link_node(l);
    wheel_cancel(&n->wheel, &l->step);
    wheel_cancel(&n->wheel, &l->deadline);
    receipt_stop(l);
    if (link_stands(l))
        n->stats.links_up--;
    if (!handle_is_none(l->self))
        n->port->link_close(n->io, link_disown(l), WS_CODE_NORMAL);
    recall_clear(l);
}

void link_up(struct link *l, int64_t now)
{
    struct node *n = link_node(l);
    log_info("link.up", "shard=%.*s clients=%zu again=%d", SPAN_ARG(l->shard->id),
             shard_linked(l->shard), l->stood);
    link_go(l, LINK_REPLAYING);
    wheel_cancel(&n->wheel, &l->deadline);
    n->stats.links_up++;
    n->stats.link_replays += l->stood ? 1 : 0;
    l->stood = true;
    l->up_since_ms = now;
    receipt_start(l);
    replay_start(l, now);
}

static void link_count_loss(struct link *l, size_t lost, int64_t now)
{
    struct node *n = link_node(l);
    log_warn("link.lost", "shard=%.*s clients=%zu lost_bytes=%zu", SPAN_ARG(l->shard->id),
             shard_linked(l->shard), lost);
    n->stats.link_losses++;
    /* One that falls as soon as it stands is dialled more and more slowly. */
    if (now - l->up_since_ms >= n->settings->link_retry_max_ms)
        backoff_reset(&l->backoff);
}

void link_down(struct link *l, size_t lost, int64_t now)
{
    struct node *n = link_node(l);
    bool parted = l->state == LINK_CLOSING, stood = parted || link_stands(l);
    uint64_t missing = stood ? receipt_missing(l) : 0;
    /* What is not acknowledged has not been read either, and may be joins, of which there are no
     * receipts. */
    lost = missing > lost ? missing : lost;
    link_disown(l);
    wheel_cancel(&n->wheel, &l->deadline);
    if (link_stands(l)) {
        link_count_loss(l, lost, now);
        link_fall(l);
    } else if (parted) {
        backoff_reset(&l->backoff);
    } else {
        log_debug("link.unreachable", "shard=%.*s", SPAN_ARG(l->shard->id));
        n->stats.link_failures++;
    }
    n->stats.link_lost_bytes += lost;
    recall_finish(l);
    if (l->held || link_is_wanted(l, now))
        link_wait(l, parted ? 0 : link_retry_wait(l), now);
    else
        link_rest(l);
    wait_resume(l);
    pressure_relieve(l);
}

bool link_message(struct link *l, struct client *c, struct span json, int64_t now)
{
    struct node *n = link_node(l);
    if (pressure_refuses(l))
        return false;
    buf_reset(&n->out);
    envelope_add_message(&n->out, session_id(c->session), json);
    if (l->state == LINK_UP) {
        link_write_message(l, buf_span(&n->out));
        receipt_await(l, now);
    } else {
        backlog_add(&l->backlog, c->session, buf_span(&n->out), now);
        wait_start(l, now);
    }
    pressure_note(l, c, now);
    return true;
}

void link_heard(struct link *l, uint32_t number, int64_t now)
{
    receipt_heard(l, number, now);
    if (l->state != LINK_CLOSING || l->last_ping == 0 || (int32_t)(number - l->last_ping) < 0)
        return;
    l->last_ping = 0;
    wheel_set(&link_node(l)->wheel, &l->step, now + LINK_SETTLE_MS);
}

uint32_t link_ping(struct link *l)
{
    struct node *n = link_node(l);
    assert(link_stands(l));
    if (++l->pings == 0)
        l->pings = 1;
    n->port->link_ping(n->io, l->self, l->pings);
    return l->pings;
}

void link_write(struct link *l, struct span text)
{
    struct node *n = link_node(l);
    assert(link_stands(l));
#ifdef TERRANE_CHECK
    /* A text that is not JSON cuts the link for all its clients. */
    assert(json_text_check(text) != ERR_SYNTAX);
#endif
    recall_forget_sent(l);
    n->port->link_send(n->io, l->self, text);
    l->written += text.len;
}

void link_write_message(struct link *l, struct span text)
{
    link_write(l, text);
    receipt_give(l, text.len);
}

void link_tell_connected(struct link *l, struct session *s, struct client *from)
{
    struct node *n = link_node(l);
    buf_reset(&n->out);
    envelope_add_connected(&n->out, session_id(s), client_request_info(from));
    link_write(l, buf_span(&n->out));
    from->told = s->told = true;
}

void link_tell_disconnected(struct link *l, struct session *s)
{
    struct node *n = link_node(l);
    buf_reset(&n->out);
    envelope_add_disconnected(&n->out, session_id(s));
    link_write(l, buf_span(&n->out));
    s->told = false;
}
