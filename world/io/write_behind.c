/* Owns the batch and the syncs that wait for it; how a commit is done is the target's. */
#include "world/io/write_behind.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"

static void add_token(struct write_tokens *t, struct write_token token)
{
    if (t->count == t->cap) {
        t->cap = t->cap == 0 ? 16 : t->cap * 2;
        t->list = xreallocarray(t->list, t->cap, sizeof(*t->list));
    }
    t->list[t->count++] = token;
}

/* The younger ones go behind the older. */
static void join_tokens(struct write_tokens *older, struct write_tokens *younger)
{
    for (size_t i = 0; i < younger->count; i++)
        add_token(older, younger->list[i]);
    free(younger->list);
    *younger = *older;
    *older = (struct write_tokens){0};
}

/* Those whose patience has ended. */
static struct write_tokens take_impatient(struct write_tokens *t, int64_t now)
{
    struct write_tokens taken = {0};

    while (taken.count < t->count && t->list[taken.count].due_ms <= now)
        add_token(&taken, t->list[taken.count]);
    t->count -= taken.count;
    if (taken.count > 0)
        memmove(t->list, t->list + taken.count, t->count * sizeof(*t->list));
    return taken;
}

static struct write_tokens take_tokens(struct write_tokens *t)
{
    struct write_tokens taken = *t;

    *t = (struct write_tokens){0};
    return taken;
}

/* Tells all who wait. What they ask for from in there belongs to the next commit. */
static void complete(struct core *core, struct write_tokens tokens, enum err e)
{
    for (size_t i = 0; i < tokens.count; i++)
        core_stored(core, tokens.list[i].token, e);
    free(tokens.list);
}

static void count_pending(struct write_behind *w)
{
    w->stats.pending = batch_count(&w->batch) + batch_count(&w->flight);
}

static void wait_until(struct write_behind *w, int64_t due_ms)
{
    w->next_ms = due_ms;
    wheel_set(loop_wheel(w->loop), &w->timer, due_ms);
}

static void committed(struct write_behind *w)
{
    if (w->stats.failing)
        log_info("store.recovered", "records=%zu", batch_count(&w->flight));
    w->stats.commits++;
    w->stats.failing = 0;
    backoff_reset(&w->backoff);
    batch_clear(&w->flight);
    w->next_ms = loop_now(w->loop) + WRITE_BEHIND_GAP_MS;
}

/* Ends the waits of those whose patience is over while commits fail. */
static void lose_patience(struct write_behind *w)
{
    int64_t now = loop_now(w->loop);
    struct write_tokens over = take_impatient(&w->tokens, now);

    if (w->tokens.count > 0)
        wheel_set(loop_wheel(w->loop), &w->impatience, w->tokens.list[0].due_ms);
    complete(w->core, over, ERR_IO);
}

static void on_impatience(struct timer *timer, int64_t now)
{
    struct write_behind *w = CONTAINER_OF(timer, struct write_behind, impatience);

    (void)now;
    if (w->stats.failing)
        lose_patience(w);
}

/* What came meanwhile goes behind it. */
static void failed(struct write_behind *w)
{
    w->stats.errors++;
    w->stats.failing = 1;
    batch_merge(&w->flight, &w->batch);
    batch_take(&w->batch, &w->flight);
    join_tokens(&w->flying, &w->tokens);
    wait_until(w, loop_now(w->loop) + backoff_next(&w->backoff, &w->rng));
}

static enum err commit(struct write_behind *w)
{
    enum err e;

    w->began_us = clock_mono_us();
    w->busy = true;
    batch_take(&w->flight, &w->batch);
    w->flying = take_tokens(&w->tokens);
    wheel_cancel(loop_wheel(w->loop), &w->timer);
    e = w->target.commit(w->target.ctx, &w->flight);
    count_pending(w);
    if (e != ERR_AGAIN)
        write_behind_done(w, e);
    return e;
}

static void on_turn_end(struct turn_end *end)
{
    struct write_behind *w = CONTAINER_OF(end, struct write_behind, end);

    count_pending(w);
    if (w->busy)
        return;
    if (batch_count(&w->batch) == 0)
        complete(w->core, take_tokens(&w->tokens), ERR_OK);
    else if (loop_now(w->loop) >= w->next_ms)
        (void)commit(w);
    else if (w->stats.failing)
        lose_patience(w);
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
    add_token(&w->tokens, (struct write_token){
                              .token = token, .due_ms = loop_now(w->loop) + w->target.patience_ms});
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
        .impatience.fire = on_impatience,
        .backoff = {.min_ms = WRITE_BEHIND_RETRY_MIN_MS, .max_ms = WRITE_BEHIND_RETRY_MAX_MS},
    };
    batch_init(&w->batch);
    batch_init(&w->flight);
    rng_init(&w->rng);
}

struct store_port write_behind_port(struct write_behind *w)
{
    return (struct store_port){.ctx = w, .put = put, .remove = take_out, .sync = wait_for_commit};
}

enum err write_behind_flush(struct write_behind *w)
{
    if (w->busy)
        return ERR_AGAIN;
    if (batch_count(&w->batch) > 0)
        return commit(w);
    complete(w->core, take_tokens(&w->tokens), ERR_OK);
    return ERR_OK;
}

void write_behind_done(struct write_behind *w, enum err e)
{
    assert(w->busy && (e == ERR_OK || e == ERR_IO || e == ERR_DENIED));
    histogram_add(&w->stats.commit, clock_mono_us() - w->began_us);
    if (e == ERR_DENIED) {
        w->stats.errors++;
        write_behind_drop(w, e);
        return;
    }
    w->busy = false;
    if (e == ERR_OK)
        committed(w);
    else
        failed(w);
    count_pending(w);
    if (batch_count(&w->batch) > 0 || w->tokens.count > 0) /* came meanwhile */
        loop_at_turn_end(w->loop, &w->end);
    if (e == ERR_OK)
        complete(w->core, take_tokens(&w->flying), e);
    else
        lose_patience(w);
}

void write_behind_retry(struct write_behind *w)
{
    w->next_ms = loop_now(w->loop);
    backoff_reset(&w->backoff);
    loop_at_turn_end(w->loop, &w->end);
}

void write_behind_drop(struct write_behind *w, enum err e)
{
    struct write_tokens flying = take_tokens(&w->flying), waiting = take_tokens(&w->tokens);
    struct core *core = w->core;

    loop_not_at_turn_end(&w->end);
    wheel_cancel(loop_wheel(w->loop), &w->timer);
    wheel_cancel(loop_wheel(w->loop), &w->impatience);
    w->busy = false;
    batch_clear(&w->flight);
    batch_clear(&w->batch);
    w->stats.pending = w->stats.failing = 0;
    complete(core, flying, e);
    complete(core, waiting, e);
}

void write_behind_clear(struct write_behind *w)
{
    loop_not_at_turn_end(&w->end);
    wheel_cancel(loop_wheel(w->loop), &w->timer);
    wheel_cancel(loop_wheel(w->loop), &w->impatience);
    batch_clear(&w->batch);
    batch_clear(&w->flight);
    free(w->tokens.list);
    free(w->flying.list);
    *w = (struct write_behind){0};
}
