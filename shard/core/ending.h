#pragma once
/* How a node gives up what it holds, by SIGTERM or by a world's order (docs/design.md section 4,
 * "Drain"): it takes no newcomers; its shards are confirmed elsewhere, where there is an elsewhere;
 * then its clients are closed, paced (drain.h). After SIGTERM it is over then; a node that was
 * ordered stays, empty, until the order is taken back. */
#include "shard/core/drain.h"

enum {
    ENDING_MOVE_MS = 5000, /* at most, for the shards to be confirmed elsewhere */
    ENDING_LOOK_MS = 50,
    ENDING_ALONE_RETRY_MIN_MS = 2000, /* told to clients when no other node could take them */
    ENDING_ALONE_RETRY_MAX_MS = 10000,
};

enum ending_state {
    ENDING_NOT,
    ENDING_MOVING,  /* waits for worlds to drop its shards */
    ENDING_CLOSING, /* paces the closes */
    ENDING_EMPTY,   /* nobody is left; an ordered node may be asked back */
    ENDING_OVER,    /* for good: node_shutdown was called */
};

/* Embedded in the node. */
struct ending {
    enum ending_state state;
    bool for_good; /* SIGTERM: no order takes it back */
    struct order_drain how;
    int64_t since_ms, until_ms; /* all are closed by then */
    struct timer look;
};

void ending_init(struct ending *e);
/* SIGTERM: by DRAIN_DEADLINE from now all are closed. */
void ending_start(struct node *n, int64_t now);
/* A world wants the node drained. Without a deadline it has DRAIN_DEADLINE. Repeating it changes
 * nothing. */
void ending_order(struct node *n, const struct order_drain *how, int64_t now);
/* `left` clients of other nodes only pass through this process: how many of them go now, and in
 * *next_ms when to ask again. Evenly by the deadline of SIGTERM, from when our own begin to go. */
uint64_t ending_pass(const struct ending *e, uint64_t left, int64_t now, int64_t *next_ms);
/* No world wants it any more. */
void ending_revert(struct node *n);
