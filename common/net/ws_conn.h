#pragma once
/* A WebSocket connection, server or client side: conn + RFC 6455 codec + pings + closing handshake.
 * Embedded in its owner. */
#include "common/net/conn.h"
#include "common/net/ws_watch.h"
#include "common/proto/ws_deflate.h"

struct ws_conn;

/* Callbacks may send, pause, close or abort. After ws_close or ws_abort no messages come any more,
 * only `closed`. */
struct ws_ops {
    /* A whole message; borrowed and mutable until return; valid UTF-8 when not binary. */
    void (*message)(struct ws_conn *w, char *data, size_t len, bool binary);
    /* The answer to a ws_ping with a payload; borrowed until return. May be NULL. */
    void (*pong)(struct ws_conn *w, struct span payload);
    /* As conn's. May be NULL. */
    void (*drained)(struct ws_conn *w);
    /* The messages of one read have been handled (batching). May be NULL. */
    void (*batch_end)(struct ws_conn *w);
    /* The end, exactly once, from the end of a turn; the owner may free. `code`: what the peer
     * said, WS_CODE_NO_STATUS, or WS_CODE_ABNORMAL when it broke off without a closing handshake;
     * for our own closes what we said. */
    void (*closed)(struct ws_conn *w, uint16_t code);
};

struct ws_settings {
    size_t max_message;       /* bytes; beyond: 1009 */
    int64_t ping_ms, pong_ms; /* a ping every ping_ms of silence from the peer, at most pong_ms for
                                 its pong (or any other sign of life), else close 4002 `timeout`;
                                 while reading is paused the deadline stands still; 0: no pings */
    uint32_t high_water;      /* output queue, bytes; see conn */
    size_t max_queue;         /* output queue, bytes: beyond, close 4200 and drop what is queued
                                 (one frame always fits into an empty queue); 0: no limit */
    bool drop_oldest;         /* beyond it, lose the oldest messages that are not under way */
    int64_t slow_ms;    /* takes nothing of what is queued for so long: close 4200; 0: no limit */
    int64_t message_ms; /* from a message's first byte to its last, not counting pauses: else close
                           1008 `message timeout`; 0: no limit */
    struct ws_deflate *deflate; /* shared; for connections that ws_conn_deflate was called for */
    struct ws_buffers *buffers; /* shared; beyond its bound a peer for which not a little waits is
                                   closed 4200, one from which it does 1013 `buffers full`. NULL:
                                   nothing is shared */
};

struct ws_conn {
    struct conn conn;
    struct ws_decoder decoder;
    struct timer timer;     /* next ping, pong deadline or close deadline */
    struct ws_watch *watch; /* of what waits; NULL: nothing does */
    const struct ws_ops *ops;
    const struct ws_settings *settings; /* borrowed for the life of the connection */
    int64_t heard_ms;                   /* when the last bytes came */
    uint32_t mask_state;                /* client side: the last mask, never 0 */
    uint16_t code;                      /* what `closed` will say */
    bool server, pinged, close_sent, close_received;
    bool ours;           /* we began the closing handshake: `code` is ours */
    uint8_t window_bits; /* of ws_conn_deflate; 0: nothing is compressed */
};

/* Takes over a connection whose handshake is done (see http_exchange_upgrade and ws_dial); `w` is
 * all zero. */
void ws_conn_start(struct ws_conn *w, struct conn *from, bool server, const struct ws_ops *ops,
                   const struct ws_settings *settings);
/* Messages may be compressed from now on, as was agreed in the handshake: by the peer, and by the
 * owner for a window of 2^window_bits bytes. 0: they may not. */
void ws_conn_deflate(struct ws_conn *w, uint8_t window_bits);
/* Calls and limits are others from now on, also inside `message`. */
void ws_conn_turn(struct ws_conn *w, const struct ws_ops *ops, const struct ws_settings *settings);
/* Gives its connection up, which is open and is moved away next (conn_move); frees what else there
 * is, and `closed` does not come. Not inside a callback of its own. */
struct conn *ws_conn_leave(struct ws_conn *w);
bool ws_is_open(const struct ws_conn *w); /* open and no close frame sent or received */

/* Writing: nothing happens once the close frame was sent. One frame here is one frame in conn's
 * queue.
 * A frame that is already framed for the server side (ws_frame_new); shared freely. Takes `f`. */
void ws_send_frame(struct ws_conn *w, struct frame *f);
/* A whole message; masked on the client side. */
void ws_send(struct ws_conn *w, enum ws_opcode opcode, struct span payload);
/* A ping of the owner's own, behind all that is queued. `payload` is not empty: that is how its
 * pong is told from those of the pings that watch over the connection. */
void ws_ping(struct ws_conn *w, struct span payload);
/* An unmasked frame with head and payload, for ws_send_frame. */
struct frame *ws_frame_new(enum ws_opcode opcode, struct span payload);

/* Starts the closing handshake: queued messages go first; after WS_CLOSE_MS without the peer's
 * answer the socket is closed. WS_CODE_NONE: no code (the peer sees 1005). */
enum { WS_CLOSE_MS = 2000 };
void ws_close(struct ws_conn *w, uint16_t code, struct span reason);
/* The same, but no more is read: for a peer that sends what it must not. */
void ws_fail(struct ws_conn *w, uint16_t code, struct span reason);
/* 4200 `slow consumer`: what is queued is dropped, but for the rest of a frame under way. */
void ws_close_slow(struct ws_conn *w, enum ws_slow cause);
void ws_abort(struct ws_conn *w);

/* Inside `closed`: hands over, in order, the messages that the kernel has not taken as a whole.
 * They are taken out of the queue. */
void ws_take_unsent(struct ws_conn *w, void (*message)(void *ctx, struct span text), void *ctx);
