#pragma once
/* Inside of conn: its states, and what happens to it at the end of a turn. conn.c is what its owner
 * asks for, conn_turn.c what the socket and the loop say. */
#include "common/net/conn.h"

enum conn_state {
    CONN_NONE,
    CONN_DIALING,
    CONN_OPEN,
    CONN_CLOSING,   /* sends what is queued */
    CONN_LINGERING, /* has ended its side, drops what comes */
    CONN_ENDED,     /* the socket is closed, `closed` is to be called */
};

/* A callback under way, on the stack of its caller. */
struct conn_call {
    bool moved;        /* the connection is elsewhere now: do not touch it */
    struct outq *rest; /* in `closed`: what was not sent */
};

static inline bool conn_has_socket(const struct conn *c)
{
    return c->state != CONN_NONE && c->state != CONN_ENDED;
}
static inline void conn_schedule(struct conn *c)
{
    loop_at_turn_end(c->loop, &c->settle);
}
static inline void conn_drop_unread(struct conn *c)
{
    frame_unref(c->unread);
    c->unread = NULL;
}

/* Of `sent`, what the peer's host has not acknowledged; there is a socket. */
uint32_t conn_on_the_way(const struct conn *c);
/* The socket may hold more than we were told of. */
void conn_hear_again(struct conn *c);

/* The only place that moves the state. */
void conn_go(struct conn *c, enum conn_state to);
/* Closes the socket; `closed` follows at the end of the turn. The first cause counts. */
void conn_end(struct conn *c, enum conn_end why);
/* The same with CONN_END_ERROR; `error` is an errno. The first fault counts. */
void conn_fail(struct conn *c, int error);
/* Of conn.settle: reads on, writes, ends, and watches for what is next. */
void conn_settle(struct turn_end *t);
/* A close gives up in CONN_LINGER_MS unless the peer reads; conn_linger_over is of conn.linger. */
void conn_set_linger(struct conn *c);
void conn_linger_over(struct timer *t, int64_t now);
