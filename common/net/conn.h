#pragma once
/* A stream connection: transport (plain now), output queue, pauses, and a life with one end.
 * Embedded in its owner, which finds itself by CONTAINER_OF. One raw event, no memory but this
 * struct while nothing is pending; one writev per turn of the loop. */
#include <event2/event_struct.h>

#include "common/base/frame.h"
#include "common/net/loop.h"
#include "common/proto/addr.h"

struct conn;

enum conn_end {
    CONN_END_EOF,   /* the peer closed its side (we answer by closing ours) */
    CONN_END_ERROR, /* reset, unreachable, refused … */
    CONN_END_LOCAL, /* conn_close or conn_abort */
};

struct conn_ops {
    /* Outbound only: connected; from now on data may come. */
    void (*connected)(struct conn *c);
    /* Bytes came. Borrowed and mutable until return. */
    void (*data)(struct conn *c, char *data, size_t len);
    /* The queue fell to half of `high_water` after it had reached it. May be NULL. */
    void (*drained)(struct conn *c);
    /* The end, exactly once for each conn that was opened, whatever the cause, always from the end
     * of a turn, never from inside a call of ours. The socket is closed and the queue is freed; the
     * owner may free the memory in here. */
    void (*closed)(struct conn *c, enum conn_end end);
};

/* Who holds the reading back; each owner sets and clears only its own bit. */
enum conn_pause {
    CONN_PAUSE_LINK = 1, /* what the bytes go to is full */
    CONN_PAUSE_RATE = 2,
    CONN_PAUSE_QUEUE = 4, /* our own answers are not read */
    CONN_PAUSE_CODEC = 8, /* the codec is busy (a request is being answered) */
};

/* What a connection moves bytes through: plain sockets now, TLS beside it later. */
struct transport {
    ssize_t (*read)(struct conn *c, void *out, size_t len);            /* as read(2) */
    ssize_t (*writev)(struct conn *c, const struct iovec *iov, int n); /* as writev(2) */
    void (*shutdown)(struct conn *c);
};
extern const struct transport transport_plain;

struct conn {
    struct event event;
    struct loop *loop;
    const struct conn_ops *ops;
    const struct transport *transport;
    struct outq out;
    struct turn_end flush;
    uint32_t high_water; /* conn_is_full beyond it; 0: never */
    int fd;              /* -1: not open */
    uint8_t pauses;
    uint8_t state; /* conn.c's */
    uint8_t end;   /* enum conn_end */
    bool was_full, watching_write;
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
/* Bytes not yet taken by the kernel. */
static inline size_t conn_queued(const struct conn *c)
{
    return c->out.bytes;
}
static inline bool conn_is_full(const struct conn *c)
{
    return c->high_water != 0 && c->out.bytes >= c->high_water;
}
/* The queued frames, taken out for another connection's use; ownership goes to *out. */
void conn_take_queue(struct conn *c, struct outq *out);

void conn_pause(struct conn *c, enum conn_pause why);
void conn_resume(struct conn *c, enum conn_pause why);

/* Sends what is queued (for at most CONN_LINGER_MS), then closes; no more data comes. */
enum { CONN_LINGER_MS = 5000 };
void conn_close(struct conn *c);
/* Closes now; what is queued is lost. */
void conn_abort(struct conn *c);
/* Moves the connection to another embedded struct (an upgrade): `from` becomes as if never opened,
 * no `closed` call for it. Queue and pauses go along. */
void conn_move(struct conn *to, struct conn *from, const struct conn_ops *ops);

/* The peer's and our own address; false when the socket is gone. */
bool conn_peer(const struct conn *c, struct addr *out, uint16_t *port);
