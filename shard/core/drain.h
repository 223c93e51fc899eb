#pragma once
/* Closing what is left of a shard or of the node, evenly (docs/design.md section 4, "Drain";
 * section 5.3). How one client goes is parting.h's.
 *   The closes begin at once and are spread evenly over the time up to the deadline: no second has
 * more than twice the mean. A `rate` that is too low for the deadline holds for as long as twice
 * the mean would still do for the rest; then the deadline wins, at that pace. Without a deadline
 * nobody is closed by force, whatever the rate. */
#include "common/base/slots.h"
#include "common/base/wheel.h"
#include "common/proto/orders.h"

struct node;
struct shard;

enum {
    DRAIN_RETRY_MIN_MS = 1000, /* told to clients unless the order says otherwise */
    DRAIN_RETRY_MAX_MS = 5000,
    DRAIN_DEADLINE_MAX_MS = 20 * 24 * 3600 * 1000,
    DRAIN_STEP_MS = 100, /* closes that are due within it are made together */
};

/* Embedded in the node and in each shard. */
struct drain {
    struct node *node;
    struct shard *shard; /* NULL: the whole node's */
    bool on;
    int64_t until_ms; /* the last close; 0: nobody is closed by force */
    uint64_t rate;
    int64_t retry_min_ms, retry_max_ms;

    int64_t last_ms;     /* when the last client begins to part */
    uint64_t begun_with; /* sockets, when it was ordered … */
    int64_t begun_for;   /* … and the ms that they had */
    struct handle next;  /* a node's: the shard whose turn it is */
    struct timer step;   /* the next close */
};

/* `shard` NULL: the node's own. */
void drain_init(struct drain *d, struct node *n, struct shard *shard);
/* Starts, or changes what was ordered; repeating the same order changes nothing. A deadline of 0
 * closes nobody. */
void drain_start(struct drain *d, const struct order_drain *how, int64_t now);
/* Nobody else is closed; who parts already goes on doing so. */
void drain_stop(struct drain *d);
/* How many of `count` (> 0) go now, so that all go evenly within `ms` (> 0), and in *next_ms how
 * long it is to the next. */
uint64_t drain_share(uint64_t count, int64_t ms, int64_t *next_ms);
/* A client has come in all the same. */
void drain_note(struct drain *d, int64_t now);
