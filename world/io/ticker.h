#pragma once
/* Gives core its time: one timer for all its deadlines. */
#include "common/net/loop.h"
#include "world/core/core.h"

struct ticker {
    struct loop *loop;
    struct core *core;
    struct timer timer;
};

/* Both are borrowed. Core may be uninitialised until the loop turns. */
void ticker_init(struct ticker *t, struct loop *l, struct core *core);
/* A ticker_port's wake; `ctx` is the ticker. */
void ticker_wake(void *ctx, int64_t due_ms);
void ticker_stop(struct ticker *t);
