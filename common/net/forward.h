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

struct forward_kind {
    unsigned target;  /* the index of its statistics */
    const char *name; /* of the target, for logs */
    /* Another server to try after no connection could be made, NULL: none is left. May be NULL. */
    struct http_pool *(*next)(void *ctx);
    /* What the client is told when no answer came. */
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

/* Answers `x` with what the server of `pool` answers to `head` (as http_pool_call wants it; taken,
 * becomes empty). `ctx` (may be NULL) is handed to kind->next and freed with free() at the end. */
void forward_start(struct forwards *all, struct http_exchange *x, struct http_pool *pool,
                   struct buf *head, const struct forward_kind *kind, void *ctx);
/* Drops all, without answers; the exchanges are not touched any more. */
void forwards_clear(struct forwards *all);
