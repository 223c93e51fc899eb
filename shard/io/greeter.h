#pragma once
/* Clients that say who they are in their first frame (docs/protocol.md, "Who may come in"): they
 * have their 101, and nothing else. They count as visitors of the node until core hears of them. */
#include "shard/io/arrival.h"
#include "shard/io/edge_client.h"
#include "shard/io/kept_request.h"
#include "shard/io/pass.h"

struct greeter_settings {
    struct ws_settings ws; /* until they are in */
    int64_t timeout_ms;    /* from the 101 to the first frame, which is whole by then */
    size_t max;            /* at a time; beyond: refused */
};

/* The largest first frame, bytes; MESSAGE_MAX if that is less. */
enum { GREETING_MAX = 16 * 1024 };

struct greeter {
    struct ticker *ticker;
    struct gate *gate;
    struct edge_clients *clients;
    struct passes *passes;
    const struct routes *routes;
    const struct greeter_settings *settings; /* may change; what has begun keeps its time */
    struct io_stats *stats;

    struct list all;
    struct buf token;
    struct shown shown, came;   /* by the one at hand: as its token; with its request */
    const struct shown *counts; /* of these, at the gate */
};
/* The members up to `stats` have been set; all are borrowed. */
void greeter_init(struct greeter *g);
/* Upgrades a client that is to be served here and whose handshake has been checked. ERR_LIMIT: too
 * many are greeted already; ERR_FULL: *why says more, core has counted it. Both: 503. */
MUST_CHECK enum err greeter_take(struct greeter *g, const struct arrived *a, enum node_reason *why);
/* Closes all with 1012. */
void greeter_dismiss(struct greeter *g);
/* Nobody is greeted any more. */
void greeter_clear(struct greeter *g);
