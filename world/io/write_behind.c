/* Owns the batch and the syncs that wait for it; how a commit is done is the target's. */
#include "world/io/write_behind.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"

/* Tells all who wait. What they ask for from in there belongs to the next commit. */
static void complete(struct write_behind *w, enum err e)
{
    uint64_t *tokens = w->tokens;
    size_t count = w->count;

    w->tokens = NULL;
    w->count = w->cap = 0;
    for (size_t i = 0; i < count; i++)
        core_stored(w->core, tokens[i], e);
    free(tokens);
}

static void wait_until(struct write_behind *w, int64_t due_ms)
{
    w->next_ms = due_ms;
    wheel_set(loop_wheel(w->loop), &w->timer, due_ms);
}

static void committed(struct write_behind *w)
{
    if (w->stats.failing)
        log_info("store.recovered", "records=%zu", batch_count(&w->batch));
    w->stats.commits++;
    w->stats.failing = 0;
    backoff_reset(&w->backoff);
    batch_clear(&w->batch);
    w->next_ms = loop_now(w->loop) + WRITE_BEHIND_GAP_MS;
}

static void failed(struct write_behind *w)
{
    w->stats.errors++;
    w->stats.failing = 1;
    wait_until(w, loop_now(w->loop) + backoff_next(&w->backoff, &w->rng));
}

static enum err commit(struct write_behind *w)
{
    int64_t began_us = clock_mono_us();
    enum err e = w->target.commit(w->target.ctx, &w->batch);

    histogram_add(&w->stats.commit, clock_mono_us() - began_us);
    wheel_cancel(loop_wheel(w->loop), &w->timer);
    if (e == ERR_OK)
        committed(w);
    else
        failed(w);
    w->stats.pending = batch_count(&w->batch);
    complete(w, e);
    return e;
}

static void on_turn_end(struct turn_end *end)
{
    struct write_behind *w = CONTAINER_OF(end, struct write_behind, end);

    w->stats.pending = batch_count(&w->batch);
    if (batch_count(&w->batch) == 0)
        complete(w, ERR_OK);
    else if (loop_now(w->loop) >= w->next_ms)
        (void)commit(w);
    else if (w->stats.failing)
        complete(w, ERR_IO);
    else if (!timer_is_set(&w->timer))
        wait_until(w, w->next_ms);
}

static void on_timer(struct timer *timer, int64_t now)
{
    struct write_behind *w = CONTAINER_OF(timer, struct write_behind, timer);

    (void)now;
    loop_at_turn_end(w->loop, &w->end);
}

static void put(void *ctx, const struct record *record)
{
    struct write_behind *w = ctx;

    batch_put(&w->batch, record);
    loop_at_turn_end(w->loop, &w->end);
}

static void take_out(void *ctx, enum record_kind kind, struct span world, struct span key)
{
    struct write_behind *w = ctx;

    batch_remove(&w->batch, kind, world, key);
    loop_at_turn_end(w->loop, &w->end);
}

static void wait_for_commit(void *ctx, struct span world, uint64_t token)
{
    struct write_behind *w = ctx;

    (void)world;
    if (w->count == w->cap) {
        w->cap = w->cap == 0 ? 16 : w->cap * 2;
        w->tokens = xreallocarray(w->tokens, w->cap, sizeof(*w->tokens));
    }
    w->tokens[w->count++] = token;
    loop_at_turn_end(w->loop, &w->end);
}

void write_behind_init(struct write_behind *w, struct loop *l, struct core *core,
                       const struct write_target *target)
{
    *w = (struct write_behind){
        .loop = l,
        .core = core,
        .target = *target,
        .end.fn = on_turn_end,
        .timer.fire = on_timer,
        .backoff = {.min_ms = WRITE_BEHIND_RETRY_MIN_MS, .max_ms = WRITE_BEHIND_RETRY_MAX_MS},
    };
    batch_init(&w->batch);
    rng_init(&w->rng);
}

struct store_port write_behind_port(struct write_behind *w)
{
    return (struct store_port){.ctx = w, .put = put, .remove = take_out, .sync = wait_for_commit};
}

enum err write_behind_flush(struct write_behind *w)
{
    if (batch_count(&w->batch) > 0)
        return commit(w);
    complete(w, ERR_OK);
    return ERR_OK;
}

void write_behind_clear(struct write_behind *w)
{
    loop_not_at_turn_end(&w->end);
    wheel_cancel(loop_wheel(w->loop), &w->timer);
    batch_clear(&w->batch);
    free(w->tokens);
    *w = (struct write_behind){0};
}
