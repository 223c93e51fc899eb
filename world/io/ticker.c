/* One timer, set to the earliest time that core asked for. */
#include "world/io/ticker.h"

#include "world/io/moment_now.h"

static void fire(struct timer *timer, int64_t now)
{
    struct ticker *t = CONTAINER_OF(timer, struct ticker, timer);

    (void)now;
    core_note_lag(t->core, loop_take_lag(t->loop));
    core_tick(t->core, moment_now(t->loop));
}

void ticker_init(struct ticker *t, struct loop *l, struct core *core)
{
    *t = (struct ticker){.loop = l, .core = core, .timer.fire = fire};
}

void ticker_wake(void *ctx, int64_t due_ms)
{
    struct ticker *t = ctx;

    if (!timer_is_set(&t->timer) || due_ms < t->timer.due_ms)
        wheel_set(loop_wheel(t->loop), &t->timer, due_ms);
}

void ticker_stop(struct ticker *t)
{
    wheel_cancel(loop_wheel(t->loop), &t->timer);
}
