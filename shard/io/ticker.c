/* One timer for all of core's deadlines. */
#include "shard/io/ticker.h"

static void settle(struct turn_end *end)
{
    struct ticker *t = CONTAINER_OF(end, struct ticker, settle);
    int64_t due = node_next_ms(t->node);
    if (due == INT64_MAX)
        wheel_cancel(loop_wheel(t->loop), &t->timer);
    else if (!timer_is_set(&t->timer) || t->timer.due_ms != due)
        wheel_set(loop_wheel(t->loop), &t->timer, due);
}

static void fire(struct timer *timer, int64_t now)
{
    struct ticker *t = CONTAINER_OF(timer, struct ticker, timer);
    node_tick(t->node, now);
    ticker_touch(t);
}

void ticker_init(struct ticker *t, struct loop *l, struct node *n)
{
    *t = (struct ticker){.loop = l, .node = n};
    t->timer.fire = fire;
    t->settle.fn = settle;
}

void ticker_touch(struct ticker *t)
{
    if (!t->stopped)
        loop_at_turn_end(t->loop, &t->settle);
}

void ticker_stop(struct ticker *t)
{
    t->stopped = true;
    loop_not_at_turn_end(&t->settle);
    wheel_cancel(loop_wheel(t->loop), &t->timer);
}
