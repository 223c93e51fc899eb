/* What owners ask of a connection. Nothing is written, and nobody called back, in here: conn_turn.c
 * does both at the end of the turn. */
#include "common/net/conn.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "common/net/conn_turn.h"
#include "common/net/socket.h"

/* All but what the owner may have set before: high_water. */
static void conn_init(struct conn *c, struct loop *l, int fd, const struct conn_ops *ops)
{
    assert(c->state == CONN_NONE);
    *c = (struct conn){
        .loop = l,
        .ops = ops,
        .transport = &transport_plain,
        .settle.fn = conn_settle,
        .linger.fire = conn_linger_over,
        .high_water = c->high_water,
        .fd = fd,
    };
}

void conn_open(struct conn *c, struct loop *l, int fd, const struct conn_ops *ops)
{
    conn_init(c, l, fd, ops);
    conn_go(c, CONN_OPEN);
    conn_schedule(c);
}

void conn_dial(struct conn *c, struct loop *l, const struct addr *to, uint16_t port,
               const struct conn_ops *ops)
{
    conn_init(c, l, socket_dial(to, port), ops);
    if (c->fd < 0) {
        conn_fail(c, errno);
        return;
    }
    conn_go(c, CONN_DIALING);
    conn_schedule(c);
}

bool conn_is_open(const struct conn *c)
{
    return c->state == CONN_OPEN;
}

static void conn_grew(struct conn *c)
{
    if (conn_is_full(c))
        c->was_full = true;
    if (!c->blocked)
        conn_schedule(c);
}

void conn_send(struct conn *c, struct frame *f)
{
    if (!conn_is_open(c) || f->len == 0) {
        frame_unref(f);
        return;
    }
    outq_push(&c->out, f);
    conn_grew(c);
}

void conn_write(struct conn *c, const void *data, size_t len)
{
    if (!conn_is_open(c))
        return;
    outq_add(&c->out, data, len);
    conn_grew(c);
}

void conn_ask_backlog(struct conn *c)
{
    c->waited = true;
    conn_schedule(c);
}

uint64_t conn_delivered(const struct conn *c)
{
    return conn_has_socket(c) ? c->sent - conn_on_the_way(c) : c->sent;
}

void conn_take_queue(struct conn *c, struct outq *out)
{
    struct outq *q = c->call != NULL && c->call->rest != NULL ? c->call->rest : &c->out;
    *out = *q;
    out->bytes += out->done;
    out->done = 0;
    *q = (struct outq){0};
    c->out.bytes = 0;
}

void conn_drop_queue(struct conn *c)
{
    struct outq kept = {0};
    if (c->out.done > 0) {
        uint32_t done = c->out.done;
        outq_push(&kept, frame_ref(outq_first(&c->out)));
        outq_advance(&kept, done);
    }
    outq_clear(&c->out);
    c->out = kept;
    if (c->was_full)
        conn_schedule(c);
}

void conn_pause(struct conn *c, enum conn_pause why)
{
    if (c->state != CONN_OPEN)
        return;
    c->pauses |= (uint8_t)why;
    conn_schedule(c);
}

void conn_resume(struct conn *c, enum conn_pause why)
{
    if (c->state != CONN_OPEN || (c->pauses & why) == 0)
        return;
    c->pauses &= (uint8_t)~why;
    conn_schedule(c);
}

void conn_unread(struct conn *c, const char *data, size_t len)
{
    if (c->state != CONN_OPEN || len == 0)
        return;
    assert(c->unread == NULL);
    c->unread = frame_of(span_of(data, len));
    conn_schedule(c);
}

bool conn_has_input(const struct conn *c)
{
    if (!conn_has_socket(c))
        return false;
    if (c->unread != NULL)
        return true;
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

void conn_close(struct conn *c)
{
    if (c->state == CONN_DIALING)
        conn_end(c, CONN_END_LOCAL);
    if (c->state != CONN_OPEN)
        return;
    conn_go(c, CONN_CLOSING);
    c->end = CONN_END_LOCAL;
    c->delivered = conn_delivered(c);
    conn_drop_unread(c);
    conn_set_linger(c);
    conn_schedule(c);
}

void conn_linger(struct conn *c)
{
    c->lingers = true;
    conn_close(c);
}

void conn_abort(struct conn *c)
{
    if (conn_has_socket(c))
        conn_end(c, CONN_END_LOCAL);
}

void conn_reset(struct conn *c)
{
    if (!conn_has_socket(c))
        return;
    struct linger now = {.l_onoff = 1};
    (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    conn_end(c, CONN_END_LOCAL);
}

void conn_move(struct conn *to, struct conn *from, const struct conn_ops *ops)
{
    assert(from->state == CONN_OPEN || from->state == CONN_ENDED);
    if (from->call != NULL)
        from->call->moved = true;
    if (from->interest != 0)
        (void)event_del(&from->event);
    loop_not_at_turn_end(&from->settle);
    conn_init(to, from->loop, from->fd, ops);
    to->transport = from->transport;
    to->tls = from->tls;
    to->held = from->held;
    to->shaking = from->shaking;
    to->failed = from->failed;
    to->out = from->out;
    to->unread = from->unread;
    to->high_water = from->high_water;
    to->pauses = from->pauses;
    to->was_full = from->was_full;
    to->blocked = from->blocked;
    to->peer_ended = from->peer_ended;
    to->sent = from->sent;
    to->unacknowledged = from->unacknowledged;
    to->end = from->end;
    to->fault = from->fault;
    conn_go(to, (enum conn_state)from->state);
    conn_schedule(to);
    *from = (struct conn){.fd = -1};
}

bool conn_peer(const struct conn *c, struct addr *out, uint16_t *port)
{
    return conn_has_socket(c) && socket_peer(c->fd, out, port);
}
