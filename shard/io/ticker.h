#pragma once
/* Gives core its time: calls node_tick when core asked for it. */
#include "common/net/loop.h"
#include "shard/core/node.h"

struct ticker {
    struct loop *loop;
    struct node *node;
    struct timer timer;
    struct turn_end settle;
    bool stopped;
};

void ticker_init(struct ticker *t, struct loop *l, struct node *n);
/* Something was told to core, which may have brought its next tick forward: to be looked at once at
 * the end of this turn. */
void ticker_touch(struct ticker *t);
/* Core gets no more time, whatever it is told. */
void ticker_stop(struct ticker *t);
/* Monotonic ms, for the calls into core. */
static inline int64_t ticker_now(const struct ticker *t)
{
    return loop_now(t->loop);
}
