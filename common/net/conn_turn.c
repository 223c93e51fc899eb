/* The life of a connection. Callbacks of libevent only read and take notes; writing, watching and
 * ending happen in conn_settle, at the end of the turn, so that whatever owners do inside their
 * callbacks costs one pass, and an end is never told from inside a call of theirs. */
#include "common/net/conn_turn.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <unistd.h>

#include "common/net/socket.h"

static const uint8_t conn_next[] = {
    [CONN_NONE] = 1u << CONN_DIALING | 1u << CONN_OPEN | 1u << CONN_ENDED,
    [CONN_DIALING] = 1u << CONN_OPEN | 1u << CONN_ENDED,
    [CONN_OPEN] = 1u << CONN_CLOSING | 1u << CONN_ENDED,
    [CONN_CLOSING] = 1u << CONN_LINGERING | 1u << CONN_ENDED,
    [CONN_LINGERING] = 1u << CONN_ENDED,
    [CONN_ENDED] = 1u << CONN_NONE,
};

enum {
    IOVECS_MAX = 256,
    WRITES_MAX = 8,      /* writev calls in one go, so that a fast reader does not hold the loop */
    LAST_READS_MAX = 64, /* reads after a failed write */
};

void conn_go(struct conn *c, enum conn_state to)
{
    assert(conn_next[c->state] >> to & 1);
    c->state = (uint8_t)to;
}

static bool conn_wants_read(const struct conn *c)
{
    if (c->state == CONN_LINGERING || (c->state == CONN_CLOSING && c->shaking))
        return true;
    if (c->state == CONN_DIALING)
        return c->reached;
    return c->state == CONN_OPEN && c->pauses == 0 && !c->peer_ended && c->unread == NULL;
}

uint32_t conn_on_the_way(const struct conn *c)
{
    uint32_t n = socket_unacknowledged(c->fd) + c->held;
    return c->tls != NULL && n > c->sent ? (uint32_t)c->sent : n;
}

void conn_end(struct conn *c, enum conn_end why)
{
    if (c->state == CONN_ENDED)
        return;
    if (c->state == CONN_OPEN || c->state == CONN_DIALING || c->state == CONN_NONE)
        c->end = (uint8_t)why;
    conn_go(c, CONN_ENDED);
    if (c->interest != 0)
        (void)event_del(&c->event);
    c->interest = 0;
    if (c->fd >= 0) {
        c->unacknowledged = conn_on_the_way(c);
        c->transport->clear(c);
        (void)close(c->fd);
    }
    c->fd = -1;
    wheel_cancel(loop_wheel(c->loop), &c->linger);
    conn_drop_unread(c);
    conn_schedule(c);
}

void conn_fail(struct conn *c, int error)
{
    if (c->fault == NULL)
        c->fault = socket_fault(error);
    conn_end(c, CONN_END_ERROR);
}

/* Around every callback that the owner may move the connection in. */
static void conn_enter(struct conn *c, struct conn_call *call)
{
    c->call = call;
}

/* False: the connection has moved away. */
static bool conn_leave(struct conn *c, const struct conn_call *call)
{
    if (call->moved)
        return false;
    c->call = NULL;
    return true;
}

/* Hands bytes to the owner; false when the connection has moved away. */
static bool conn_deliver(struct conn *c, char *data, size_t len)
{
    struct conn_call call = {0};
    conn_enter(c, &call);
    c->ops->data(c, data, len);
    return conn_leave(c, &call);
}

void conn_hear_again(struct conn *c)
{
    c->unheard = true;
    conn_schedule(c);
}

enum read_result { READ_SOME, READ_NOTHING, READ_MOVED };

/* One read. */
static enum read_result conn_read(struct conn *c)
{
    char *buffer = loop_read_buffer(c->loop);
    ssize_t n = c->transport->read(c, buffer, LOOP_READ_BYTES);
    if (n == LOOP_READ_BYTES || (n < 0 && errno == EINTR))
        conn_hear_again(c); /* a shorter read has emptied the socket */
    if (n > 0 && c->state != CONN_OPEN)
        return READ_SOME; /* dropped */
    if (n > 0)
        return conn_deliver(c, buffer, (size_t)n) ? READ_SOME : READ_MOVED;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return READ_NOTHING;
    if (n < 0 || c->state == CONN_LINGERING) {
        conn_fail(c, errno);
        return READ_NOTHING;
    }
    c->peer_ended = true;
    conn_schedule(c);
    return READ_NOTHING;
}

/* A step of the handshake; what came behind its end is read later. */
static bool conn_shake(struct conn *c)
{
    char *buffer = loop_read_buffer(c->loop);
    ssize_t n = c->transport->read(c, buffer, LOOP_READ_BYTES);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        conn_fail(c, n == 0 ? ECONNRESET : errno);
        return false;
    }
    if (c->shaking)
        return false;
    conn_go(c, CONN_OPEN);
    if (n > 0)
        conn_unread(c, buffer, (size_t)n);
    return true;
}

static void conn_dialed(struct conn *c)
{
    int error = c->reached ? 0 : socket_error(c->fd); /* later ones are the handshake's */
    c->reached = true;
    conn_schedule(c);
    if (error != 0) {
        conn_fail(c, error);
        return;
    }
    if (!c->shaking)
        conn_go(c, CONN_OPEN);
    else if (!conn_shake(c))
        return;
    c->ops->connected(c);
}

static void conn_look_whole(struct conn *c)
{
    int error = socket_error(c->fd);
    if (error != 0)
        conn_fail(c, error);
    else
        conn_hear_again(c);
}

static void conn_event(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    struct conn *c = arg;
    loop_entered(c->loop);
    if ((what & EV_WRITE) != 0) {
        c->blocked = false;
        conn_schedule(c);
    }
    if (c->state == CONN_DIALING) {
        conn_dialed(c);
        return;
    }
    if (conn_wants_read(c)) {
        if ((what & EV_CLOSED) != 0)
            conn_hear_again(c); /* the end lies behind what is read now */
        if ((what & (EV_READ | EV_CLOSED)) != 0)
            (void)conn_read(c);
    } else if (conn_has_socket(c)) {
        conn_look_whole(c);
    }
}

/* Keeps the event in step with what we want to hear. Usually it is edge-triggered, which spares the
 * kernel a second look at each socket that had something to read; whoever may have left something
 * there (`unheard`) adds the event anew, which tells it again. */
static void conn_watch(struct conn *c)
{
    short want;
    if (conn_wants_read(c))
        want =
            c->blocked ? EV_PERSIST | EV_READ | EV_WRITE : EV_PERSIST | EV_READ | EV_CLOSED | EV_ET;
    else if (c->blocked || (c->state == CONN_DIALING && !c->reached))
        want = EV_PERSIST | EV_WRITE;
    else
        want = EV_PERSIST | EV_WRITE | EV_ET; /* wakes once now, and again on a reset */
    if (want == c->interest && !(c->unheard && conn_wants_read(c)))
        return;
    c->unheard = false;
    if (c->interest != 0)
        (void)event_del(&c->event);
    (void)event_assign(&c->event, loop_base(c->loop), c->fd, want, conn_event, c);
    (void)event_add(&c->event, NULL);
    c->interest = want;
}

/* Gives the owner what was put back and, behind it, the peer's end. False: moved away. */
static bool conn_read_on(struct conn *c)
{
    if (c->unread != NULL && c->state == CONN_OPEN && c->pauses == 0) {
        struct frame *f = c->unread;
        c->unread = NULL;
        bool here = conn_deliver(c, f->data, f->len);
        frame_unref(f);
        if (!here)
            return false;
    }
    bool owed = c->peer_ended && !c->eof_told && c->unread == NULL;
    if (!owed || c->state != CONN_OPEN || c->pauses != 0)
        return true;
    c->eof_told = true;
    if (c->ops->eof == NULL) {
        conn_close(c);
        c->end = CONN_END_EOF;
        return true;
    }
    struct conn_call call = {0};
    conn_enter(c, &call);
    c->ops->eof(c);
    return conn_leave(c, &call);
}

/* There is something that could be sent now. */
static bool conn_owes(const struct conn *c)
{
    return c->held > 0 || (c->out.bytes > 0 && !c->shaking);
}

/* Writes what the kernel takes; false when the socket has failed. */
static bool conn_flush(struct conn *c)
{
    for (int i = 0; i < WRITES_MAX && conn_owes(c) && !c->blocked; i++) {
        struct iovec iov[IOVECS_MAX];
        int count = c->shaking ? 0 : outq_iovecs(&c->out, iov, IOVECS_MAX);
        size_t offered = 0;
        for (int k = 0; k < count; k++)
            offered += iov[k].iov_len;
        ssize_t n = c->transport->writev(c, iov, count);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n > 0) {
            outq_advance(&c->out, (size_t)n);
            c->sent += (uint64_t)n;
        }
        c->blocked = n < 0 || c->held > 0 || (c->tls == NULL && (size_t)n < offered);
    }
    if (conn_owes(c))
        c->blocked = true;
    return true;
}

/* A write failed: the peer may have said why before it went (an HTTP answer to an upload that it
 * did not want), so what is here is read before the end is told. */
static void conn_broken(struct conn *c)
{
    int error = errno;
    for (int i = 0; i < LAST_READS_MAX && conn_wants_read(c); i++) {
        enum read_result r = conn_read(c);
        if (r == READ_MOVED)
            return;
        if (r == READ_NOTHING)
            break;
    }
    conn_fail(c, error);
}

/* Tells the owner that there is room again; false when the connection has moved away. */
static bool conn_tell_drained(struct conn *c)
{
    if (!c->was_full || c->out.bytes > c->high_water / 2)
        return true;
    c->was_full = false;
    if (c->state != CONN_OPEN || c->ops->drained == NULL)
        return true;
    struct conn_call call = {0};
    conn_enter(c, &call);
    c->ops->drained(c);
    if (!conn_leave(c, &call))
        return false;
    if (c->out.bytes > 0)
        c->blocked = true; /* next turn: an owner that refills must not hold this one */
    return true;
}

static void conn_tell_backlog(struct conn *c)
{
    bool waits = conn_waiting(c) > 0;
    if (!waits && !c->waited)
        return;
    c->waited = waits;
    if (c->ops->backlog != NULL)
        c->ops->backlog(c);
}

static void conn_finish(struct conn *c)
{
    struct outq rest = c->out;
    struct conn_call call = {.rest = &rest};
    c->out = (struct outq){.bytes = rest.bytes};
    conn_enter(c, &call);
    conn_go(c, CONN_NONE);
    c->ops->closed(c, (enum conn_end)c->end); /* may free c */
    outq_clear(&rest);
}

void conn_settle(struct turn_end *t)
{
    struct conn *c = CONTAINER_OF(t, struct conn, settle);
    if (c->state == CONN_ENDED) {
        conn_finish(c);
        return;
    }
    if (c->failed) {
        conn_fail(c, EPROTO);
        return;
    }
    if (!conn_read_on(c))
        return;
    if (c->state == CONN_OPEN || c->state == CONN_CLOSING) {
        if (!conn_flush(c)) {
            conn_broken(c);
            return;
        }
        if (!conn_tell_drained(c))
            return;
        conn_tell_backlog(c);
    }
    if (c->state == CONN_CLOSING && c->out.bytes == 0 && !c->transport->finish(c)) {
        c->blocked = true;
    } else if (c->state == CONN_CLOSING && c->out.bytes == 0) {
        if (!c->lingers || c->peer_ended) {
            conn_end(c, CONN_END_LOCAL);
        } else {
            c->transport->shutdown(c);
            conn_go(c, CONN_LINGERING);
            conn_set_linger(c);
        }
    }
    if (conn_has_socket(c))
        conn_watch(c);
}

void conn_set_linger(struct conn *c)
{
    wheel_set(loop_wheel(c->loop), &c->linger, loop_now(c->loop) + CONN_LINGER_MS);
}

void conn_linger_over(struct timer *t, int64_t now)
{
    struct conn *c = CONTAINER_OF(t, struct conn, linger);
    uint64_t before = c->delivered;
    (void)now;
    c->delivered = conn_delivered(c);
    if (conn_is_flushed(c))
        conn_end(c, CONN_END_LOCAL);
    else if (c->delivered == before)
        conn_reset(c);
    else /* it reads */
        conn_set_linger(c);
}
