#pragma once
/* Upgraded connections to another server: once that has answered the client's handshake with 101,
 * bytes both ways (see pipe.h). Driven by an owner, who names the servers to try, at once or later.
 */
#include "common/net/http_server.h"
#include "common/net/pipe.h"
#include "common/net/responder.h"
#include "common/proto/url.h"

struct tunnel;

enum { TUNNEL_CONNECT_MS = 3000, TUNNEL_ANSWER_MS = 5000 };

enum tunnel_failure {
    TUNNEL_UNREACHABLE, /* no connection within TUNNEL_CONNECT_MS, or then no answer in HTTP within
                           TUNNEL_ANSWER_MS */
    TUNNEL_MISDIRECTED, /* the server answered 421 (RFC 9110 section 15.5.20) */
    TUNNEL_DENIED,      /* a late one's server did not answer 101, or not as it should */
};

enum tunnel_end {
    TUNNEL_REFUSED,  /* it never opened: answered by its owner, or closed by it */
    TUNNEL_ANSWERED, /* it never opened: the server did not answer 101, and the client has that */
    TUNNEL_CLIENT_CLOSED, /* the closing handshake was begun by the client, */
    TUNNEL_CLIENT_GONE,   /* the client broke off, before it was open or after that, */
    TUNNEL_SERVER_CLOSED, /* or the server did so */
    TUNNEL_SERVER_GONE,
    TUNNEL_OURS, /* tunnel_close or tunnels_abort */
};

struct tunnel_ops {
    /* The server that was tried does not serve; nothing of the client's has reached one that does.
     * Answer in here or later, with tunnel_try or tunnel_refuse. */
    void (*failed)(void *ctx, struct tunnel *t, enum tunnel_failure why);
    /* Over, in whatever way, also when the client went away before: forget t. May come from inside
     * tunnel_refuse, tunnel_close and tunnels_abort. */
    void (*ended)(void *ctx, enum tunnel_end how);
    /* The server has answered 101. May be NULL. */
    void (*opened)(void *ctx);
    /* For late ones only: the server wants the client, whose connection is moved on return. NULL:
     * it has failed or ended, and `ended` comes with TUNNEL_CLIENT_GONE. */
    struct conn *(*client)(void *ctx);
};

struct tunnel_stats {
    uint64_t now;                     /* gauge */
    uint64_t opened, failures, bytes; /* answered with 101; refused by their owner */
};

/* All that there are. */
struct tunnels {
    struct list all;
    size_t count;
    size_t max;                    /* for tunnels_are_full; 0: no bound */
    int64_t connect_ms, answer_ms; /* TUNNEL_CONNECT_MS, TUNNEL_ANSWER_MS unless its owner sets
                                      others behind tunnels_init */
    bool keeps_421;                /* it is an answer like any other: servers of somebody else */
    struct loop *loop;
    struct tunnel_stats *stats;
    struct pipe_kind pipes; /* tunnels_init's, but for the times of the dead */
};
void tunnels_init(struct tunnels *all, struct loop *l, struct tunnel_stats *stats); /* borrowed */
static inline size_t tunnels_count(const struct tunnels *all)
{
    return all->count;
}
static inline bool tunnels_are_full(const struct tunnels *all)
{
    return all->max != 0 && all->count >= all->max;
}

/* Takes an upgrade request over; call tunnel_try or tunnel_refuse next, now or later. `head` is the
 * request head without Host and the blank line (taken, becomes empty). An answer that is neither
 * 101 nor 421 goes to the client. Full or not, it is made: callers look at tunnels_are_full. */
struct tunnel *tunnel_new(struct tunnels *all, struct http_exchange *x, struct buf *head,
                          const struct tunnel_ops *ops, void *ctx);
/* The same for a client that is upgraded already, and paused (CONN_PAUSE_CODEC). The server has
 * to answer as to `key` (WS_KEY_LEN), with no extension, and with `protocol` or none. */
struct tunnel *tunnel_new_late(struct tunnels *all, struct buf *head, struct span key,
                               struct span protocol, const struct tunnel_ops *ops, void *ctx);
/* What the client is told to speak if the server names no subprotocol: a browser that offered some
 * wants one of them. Empty: nothing. Before it is open only; not of late ones. */
void tunnel_set_protocol(struct tunnel *t, struct span protocol);
/* A late one's client is gone, or nobody waits for it any more: `ended` comes, with
 * TUNNEL_CLIENT_GONE, now or later. Before it is open only. */
void tunnel_cancel(struct tunnel *t);
/* Tries this server, after tunnel_new or `failed` only. `origin` is copied. Never calls back before
 * it returns. */
void tunnel_try(struct tunnel *t, const struct url_origin *origin);
/* Answers the client in HTTP, after tunnel_new or `failed` only; t is gone. */
void tunnel_refuse(struct tunnel *t, int status, struct span headers, struct span body);
/* Why the last 421 was given (`x-terrane-reason`); empty: it did not say. */
struct span tunnel_reason(const struct tunnel *t);
/* Inside `failed`, with TUNNEL_UNREACHABLE: what was wrong, for people; static. */
const char *tunnel_fault(const struct tunnel *t);
/* Gives the exchange back, without an answer, after tunnel_new or `failed` only; t is gone, and
 * `ended` is not called. NULL: it is a late one. */
struct http_exchange *tunnel_give_back(struct tunnel *t);

/* Ends with a close frame to the client, at the next frame boundary (pipe_close: within 2 s). One
 * that is not open yet is refused with 503. `reason` is borrowed until `ended`. */
void tunnel_close(struct tunnel *t, uint16_t code, struct span reason);
void tunnels_close(struct tunnels *all, uint16_t code, struct span reason);
/* The open ones that are not being closed; and the end of so many of them, the oldest first. */
size_t tunnels_staying(const struct tunnels *all);
void tunnels_close_some(struct tunnels *all, size_t count, uint16_t code, struct span reason);
/* Cuts all off; they are gone when the loop has turned. Exchanges without an answer stay so. */
void tunnels_abort(struct tunnels *all);
