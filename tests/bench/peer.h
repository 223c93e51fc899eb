#pragma once
/* WebSocket peers for load: non-blocking sockets on epoll, with as little as possible between the
 * kernel and the codec, so that the generator is not what is measured. Not a general library. */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/proto/http_head.h"
#include "common/proto/ws.h"

struct ssl_ctx_st;
struct ssl_st;

struct peer {
    int fd;
    struct ssl_st *tls; /* NULL: plain */
    bool open;          /* the handshake is done */
    bool server;        /* which side we play */
    bool dirty;         /* has output that flush_all has to send */
    uint32_t id;
    struct ws_decoder decoder;
    struct buf in; /* the handshake's head until it is whole */
    struct buf out;
    void *user;
};

struct peers {
    int epoll;
    struct ssl_ctx_st *tls; /* what is dialled speaks TLS */
    struct peer **dirty;
    size_t dirty_count, dirty_cap;
    void (*opened)(struct peer *p,
                   const struct http_head *head); /* head: the server side's request */
    void (*message)(struct peer *p, struct span payload, bool binary);
    void (*closed)(struct peer *p); /* the peer is freed after it */
};

void peers_init(struct peers *ps);
/* What is dialled from now on speaks TLS, and is believed whoever it is. */
void peers_use_tls(struct peers *ps);
/* Connects to 127.0.0.1 (blocking) and sends the upgrade request for `target`. Ends the process
 * with a message when it cannot. */
struct peer *peer_dial(struct peers *ps, uint16_t port, const char *target, uint32_t id);
/* Accepts what waits on a listening socket that was added to epoll with a NULL pointer. */
void peers_accept(struct peers *ps, int listener);
int peers_listen(struct peers *ps, uint16_t port);
/* Queues one text frame. */
void peer_send(struct peers *ps, struct peer *p, struct span text);
/* One turn: waits at most wait_ms, handles what came, then sends what was queued. `listener` is -1
 * for clients. */
void peers_turn(struct peers *ps, int listener, int wait_ms);
