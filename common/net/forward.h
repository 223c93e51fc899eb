#pragma once
/* HTTP requests on their way to another server, and the answers on their way back. Bodies stream in
 * both directions, byte for byte; whoever reads slowly holds the other side back. */
#include "common/base/buf.h"
#include "common/base/metrics.h"
#include "common/net/http_client.h"
#include "common/net/http_server.h"
#include "common/net/responder.h"

/* What is counted for one target. */
struct forward_stats {
    uint64_t answers[6]; /* by status class; [0]: broken off before an answer */
    struct histogram time;
};

struct forward;

/* A request's body is kept up to here, to be sent once more to another server. */
enum { FORWARD_KEPT_MAX = 64 * 1024 };

enum forward_failure {
    FORWARD_UNREACHABLE, /* no connection could be made: nothing was sent */
    FORWARD_MISDIRECTED, /* the server answered 421 (RFC 9110 section 15.5.20) */
};

struct forward_kind {
    unsigned target;  /* the index of its statistics */
    const char *name; /* of the target, for logs */
    /* The server that was tried does not serve, and the request can be sent elsewhere. Answer in
     * here or later, with forward_try or forward_refuse. NULL: the client is told. */
    void (*failed)(void *ctx, struct forward *f, enum forward_failure why);
    bool keeps_421; /* it is an answer like any other: servers of somebody else */
    /* Over, in whatever way: forget f. May come from inside forward_refuse. May be NULL. */
    void (*ended)(void *ctx);
    /* What the client is told when no answer came and nobody can be asked: by then the request may
     * have been obeyed, or more of its body than FORWARD_KEPT_MAX was sent. */
    int failed_status, timeout_status;
    struct span failed_headers; /* whole lines */
    const char *failed_body;
};

/* All that are under way. */
struct forwards {
    struct list all;
    struct forward_stats *stats;
    uint64_t *now;
};
/* `stats` (one for each target) and `now`, the gauge of what is under way, are borrowed. */
void forwards_init(struct forwards *all, struct forward_stats *stats, uint64_t *now);

/* Takes an exchange over; call forward_try or forward_refuse next, now or later: its body waits.
 * `head` is as http_pool_call wants it (taken, becomes empty); `kind` is borrowed, `ctx` is for its
 * functions. */
struct forward *forward_new(struct forwards *all, struct http_exchange *x, struct buf *head,
                            const struct forward_kind *kind, void *ctx);
/* Answers with what the server of `pool` answers. After forward_new or `failed` only; never calls
 * back before it returns. */
void forward_try(struct forward *f, struct http_pool *pool);
/* Answers by itself. After forward_new or `failed` only; f is gone. */
void forward_refuse(struct forward *f, int status, struct span headers, struct span body);
/* Why the last 421 was given (`x-terrane-reason`); empty: it did not say. */
struct span forward_reason(const struct forward *f);
/* Inside `failed`, with FORWARD_UNREACHABLE: what was wrong, for people; static. */
const char *forward_fault(const struct forward *f);
/* Another head, and another owner: the one before hears no more. After forward_new or `failed`
 * only; `head`, `kind` and `ctx` as in forward_new. */
void forward_turn(struct forward *f, struct buf *head, const struct forward_kind *kind, void *ctx);
/* Gives the exchange back to be answered, after forward_new or `failed` only; f is gone, and
 * `ended` is not called. */
struct http_exchange *forward_give_back(struct forward *f);
/* Drops all, without answers; the exchanges are not touched any more. */
void forwards_clear(struct forwards *all);
