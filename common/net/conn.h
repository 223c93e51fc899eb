#pragma once
/* A stream connection: transport (plain, or TLS: tls.h), output queue, pauses, and a life with one
 * end. Embedded in its owner, which finds itself by CONTAINER_OF. One raw event, no memory but this
 * struct while nothing is pending; one writev per turn of the loop.
 * The owner may write, pause, close, abort or move the connection inside any callback. After a
 * close or abort no callback but `closed` comes. */
#include <event2/event_struct.h>

#include "common/base/frame.h"
#include "common/base/wheel.h"
#include "common/net/loop.h"
#include "common/proto/addr.h"

struct conn;

enum conn_end {
    CONN_END_EOF,   /* the peer ended its side (we answered by ending ours) */
    CONN_END_ERROR, /* reset, unreachable, refused … */
    CONN_END_LOCAL, /* conn_close or conn_abort */
};

struct conn_ops {
    /* Outbound only: connected, TLS and all; from now on data may come. */
    void (*connected)(struct conn *c);
    /* Bytes came. Borrowed and mutable until return. */
    void (*data)(struct conn *c, char *data, size_t len);
    /* The queue fell to half of `high_water` after it had reached it. May be NULL. */
    void (*drained)(struct conn *c);
    /* At the end of a turn: some bytes wait (conn_waiting) for the peer to read, or did until now
     * and none do any more. The owner may not move the connection in here. May be NULL. */
    void (*backlog)(struct conn *c);
    /* The end, exactly once for each conn that was opened, whatever the cause, always from the end
     * of a turn, never from inside a call of ours. The socket is closed. What the kernel had not
     * taken can be counted (conn_queued) or taken out (conn_take_queue) in here; it is freed after
     * it. The owner may free the memory in here, or dial again. */
    void (*closed)(struct conn *c, enum conn_end end);
    /* The peer ended its side, after all that it sent; we can still write, and the owner closes in
     * its own time. NULL: the connection is closed once the queue is sent. */
    void (*eof)(struct conn *c);
};

/* Who holds the reading back; each owner sets and clears only its own bit. */
enum conn_pause {
    CONN_PAUSE_LINK = 1,  /* what the bytes go to is full */
    CONN_PAUSE_QUEUE = 2, /* our own answers are not read */
    CONN_PAUSE_CODEC = 4, /* the codec is busy (a request is being answered) */
};

/* What a connection moves bytes through: the socket itself, or TLS (tls.h). What it has taken and
 * the kernel has not is conn.held. */
struct transport {
    /* As read(2). A shorter read than was asked for has emptied the socket, or marks the connection
     * by conn_hear_again. */
    ssize_t (*read)(struct conn *c, void *out, size_t len);
    ssize_t (*writev)(struct conn *c, const struct iovec *iov, int n); /* as writev(2) */
    /* Says that nothing more comes, behind all that was written; false: call it again when the
     * socket can be written to. */
    bool (*finish)(struct conn *c);
    void (*shutdown)(struct conn *c);
    void (*clear)(struct conn *c); /* the socket is about to be closed */
};
extern const struct transport transport_plain;

struct conn_call;
struct tls;

struct conn {
    struct event event;
    struct loop *loop;
    const struct conn_ops *ops;
    const struct transport *transport;
    struct tls *tls; /* the transport's own, or NULL */
    struct outq out;
    struct frame *unread;    /* bytes given back by conn_unread */
    struct conn_call *call;  /* the callback under way, so that it can be told of a move */
    const char *fault;       /* static text: why it failed; NULL: it has not, or not by itself */
    struct turn_end settle;  /* reading on, writing and ending are done at the end of the turn */
    struct timer linger;     /* when a close gives up */
    uint64_t sent;           /* bytes that the kernel took */
    uint64_t delivered;      /* while closing: conn_delivered when the linger timer last looked */
    uint32_t unacknowledged; /* when the socket was closed: of those, what the peer had not */
    uint32_t held;           /* bytes that the transport has taken and the kernel has not */
    uint32_t high_water;     /* conn_is_full beyond it; 0: never */
    int fd;                  /* valid while there is a socket */
    short interest;          /* what the event watches; 0: it is not added */
    uint8_t pauses;
    uint8_t state; /* enum conn_state, conn_turn.h */
    uint8_t end;   /* enum conn_end */
    bool was_full; /* `drained` is owed */
    bool waited;   /* `backlog` was told of what waits */
    bool blocked;  /* the kernel took no more; wait until it does */
    bool lingers;  /* conn_linger rather than conn_close */
    bool unheard;  /* the event may owe us news of what can be read */
    bool reached;  /* while dialling: the peer's host has answered */
    bool shaking;  /* the transport's handshake is under way: nothing else is read or written */
    bool failed;   /* the transport is broken behind what it gave last */
    bool peer_ended, eof_told;
};

/* Takes the descriptor, which must be connected and non-blocking. */
void conn_open(struct conn *c, struct loop *l, int fd, const struct conn_ops *ops);
/* Starts to connect; ends in ops->connected or ops->closed. */
void conn_dial(struct conn *c, struct loop *l, const struct addr *to, uint16_t port,
               const struct conn_ops *ops);
bool conn_is_open(const struct conn *c); /* opened, and neither closed nor closing */

/* Writing: queued, sent at the end of the turn or when the peer has room. Nothing happens on a conn
 * that is not open. conn_send takes the frame in every case. */
void conn_send(struct conn *c, struct frame *f);
void conn_write(struct conn *c, const void *data, size_t len);
static inline void conn_write_span(struct conn *c, struct span s)
{
    conn_write(c, s.ptr, s.len);
}
/* Bytes not yet taken by the kernel or the transport. */
static inline size_t conn_queued(const struct conn *c)
{
    return c->out.bytes;
}
static inline bool conn_is_full(const struct conn *c)
{
    return c->high_water != 0 && c->out.bytes >= c->high_water;
}
/* Bytes not yet taken by the kernel. */
static inline size_t conn_waiting(const struct conn *c)
{
    return c->out.bytes + c->held;
}
/* `backlog` comes at the end of this turn, also if nothing waits then. */
void conn_ask_backlog(struct conn *c);
/* Nothing of what was written waits here. */
static inline bool conn_is_flushed(const struct conn *c)
{
    return conn_waiting(c) == 0;
}
/* Inside `closed`, of a connection that failed: why, for people; static. NULL: it did not fail, or
 * was closed by its owner. */
static inline const char *conn_fault(const struct conn *c)
{
    return c->fault;
}
/* Inside `closed`: bytes that the kernel (or the transport) had taken and the peer not
 * acknowledged, as far as the kernel still knew (it forgets with a reset). Under TLS at most that:
 * records are longer than what they carry. */
static inline size_t conn_unacknowledged(const struct conn *c)
{
    return c->unacknowledged;
}
/* Bytes that the peer's host has acknowledged (under TLS: at least those): changes as long as the
 * peer reads, however slowly. */
uint64_t conn_delivered(const struct conn *c);
/* The queued frames, taken out for another connection's use, the one that was partly written as a
 * whole again; ownership goes to *out. */
void conn_take_queue(struct conn *c, struct outq *out);
/* Forgets what is queued, except the rest of a frame that is partly written. */
void conn_drop_queue(struct conn *c);
/* Bytes that were given back and have not come again. */
static inline size_t conn_unread_bytes(const struct conn *c)
{
    return c->unread == NULL ? 0 : c->unread->len;
}

/* While paused, a reset is still noticed at once; the peer's end is told after the bytes before it.
 */
void conn_pause(struct conn *c, enum conn_pause why);
void conn_resume(struct conn *c, enum conn_pause why);
/* Inside `data`: gives back bytes that were not used. They come again from the end of a turn,
 * before any others, once nothing pauses the connection. They are copied. */
void conn_unread(struct conn *c, const char *data, size_t len);
/* True when the kernel holds bytes, or the peer's end, that have not been read. */
bool conn_has_input(const struct conn *c);

/* Sends what is queued, then closes; no more data comes. A peer that takes nothing of it for
 * CONN_LINGER_MS gets a reset, so that it does not take what it has for all. */
enum { CONN_LINGER_MS = 5000 };
void conn_close(struct conn *c);
/* The same, but then only ends our side, and reads and drops what comes until the peer ends its own
 * (for at most CONN_LINGER_MS): a peer that is still sending gets our last words instead of a
 * reset. */
void conn_linger(struct conn *c);
/* Closes now; what is queued is not sent. */
void conn_abort(struct conn *c);
/* The same, and the peer gets a reset, so that it does not take what it has for all. */
void conn_reset(struct conn *c);
/* Moves a connection that is open, or whose end is not yet told, to another embedded struct (an
 * upgrade): `from` becomes as if never opened, no `closed` call for it, and may be freed at once.
 * Queue, high water, pauses and unread bytes go along. */
void conn_move(struct conn *to, struct conn *from, const struct conn_ops *ops);

/* The peer's address; false when the socket is gone. */
bool conn_peer(const struct conn *c, struct addr *out, uint16_t *port);
