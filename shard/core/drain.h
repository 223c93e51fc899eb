#pragma once
/* Closing what is left of a shard or of the node, evenly (docs/design.md section 4, "Drain";
 * section 5.3): a client that is to go is read no more; what it said is flushed and heard by the
 * room (the link's pong says so), what the room answers reaches it; then the room hears that it
 * left, and its socket is closed with 1012 and `restart;retry=min-max`. */
#include "common/base/list.h"
#include "common/base/wheel.h"
#include "common/proto/orders.h"

struct node;
struct shard;

enum {
    DRAIN_SETTLE_MS = 100,   /* after the pong, for the room's last answers */
    DRAIN_PARTING_MS = 1000, /* at most, from the last read to the close */
};

/* Embedded in the node and in each shard. The all-zero struct: not draining. */
struct drain {
    struct node *node;
    struct shard *shard; /* NULL: the whole node's */
    bool on;
    int64_t until_ms; /* the last close; 0: nobody is closed by force */
    uint64_t rate;
    int64_t retry_min_ms, retry_max_ms;
    struct timer step; /* the next close */
};

/* Starts, or changes what was ordered; repeating the same order changes nothing. */
void drain_start(struct drain *d, const struct order_drain *how, int64_t now);
void drain_stop(struct drain *d);
