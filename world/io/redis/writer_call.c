/* What a call carries is what was wanted when it began; one that fails puts its wants back. */
#include "world/io/redis/writer_call.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"

enum { NUMBER_MAX = 24 };

static void count_call(const struct writer_call *c, bool good)
{
    struct store_stats *stats = c->w->all->stats;

    histogram_add(&stats->commit, clock_mono_us() - c->began_us);
    if (good)
        stats->commits++;
    else
        stats->errors++;
    writer_count_failing(c->w, !good);
}

/* ---- the end of a call */

void writer_call_free(struct writer_call *c)
{
    if (c->w != NULL)
        c->w->call = NULL;
    list_remove(&c->node);
    free(c);
}

/* The flight has landed, or not. False: the writer has gone meanwhile. */
static bool end_call(struct writer_call *c, enum err e)
{
    struct world_writer *w = c->w;

    if (c->flight) {
        w->flight = NULL;
        writer_count_pending(w, batch_count(&w->behind.batch) +
                                    (e == ERR_OK ? 0 : batch_count(&w->behind.flight)));
        write_behind_done(&w->behind, e);
        w = c->w;
    }
    writer_call_free(c);
    return w != NULL;
}

static void succeeded(struct writer_call *c)
{
    struct world_writer *w = c->w;

    w->low = w->high = c->rev;
    count_call(c, true);
    if (!end_call(c, ERR_OK))
        return;
    writer_begin(w);
    writer_check_closed(w);
}

/* Answers whether the writer is still there. */
static bool failed(struct writer_call *c, struct span why)
{
    struct world_writer *w = c->w;
    bool flight = c->flight;

    log_error("store.failed", "world=%.*s reason=%.*s", SPAN_ARG(w->world), SPAN_ARG(why));
    count_call(c, false);
    w->rewrite = w->rewrite || c->clear;
    w->look = w->look || (!c->clear && !flight);
    w->gave_up = w->closing;
    if (!flight) /* a flight is tried again by write_behind */
        wheel_set(loop_wheel(w->all->loop), &w->retry, loop_now(w->all->loop) + WRITER_RETRY_MS);
    return end_call(c, ERR_IO);
}

static void failed_alone(struct writer_call *c, struct span why)
{
    struct world_writer *w = c->w;

    if (failed(c, why))
        writer_check_closed(w);
}

/* What it was about is to be done still. */
static void shelve(struct writer_call *c)
{
    struct world_writer *w = c->w;

    w->rewrite = w->rewrite || c->clear;
    w->look = w->look || (!c->clear && !c->flight);
    writer_call_free(c);
}

/* The same again, with what is wanted by now. */
static void once_more(struct writer_call *c)
{
    struct world_writer *w = c->w;

    shelve(c);
    writer_begin(w);
}

/* What is on its way is neither kept nor refused until it is known who has the lease: then it is
 * written under a higher epoch, or whoever waits for it is passed on. */
static void wait_for_lease(struct writer_call *c)
{
    struct world_writer *w = c->w;

    log_warn("store.refused", "world=%.*s epoch=%lld", SPAN_ARG(w->world), (long long)c->epoch);
    count_call(c, false);
    shelve(c);
    wheel_set(loop_wheel(w->all->loop), &w->retry, loop_now(w->all->loop) + WRITER_RETRY_MS);
}

static void lost(struct writer_call *c)
{
    struct world_writer *w = c->w;
    struct writers *all = w->all;
    struct span world;

    if (c->epoch != w->epoch) {
        once_more(c);
        return;
    }
    world = span_copy(w->world);
    if (w->closing)
        failed_alone(c, SPAN("the lease is not ours"));
    else
        wait_for_lease(c);
    all->lost(all->ctx, world);
    span_free(world);
}

static void gap(struct writer_call *c, int64_t rev)
{
    struct world_writer *w = c->w;

    log_warn("store.gap", "world=%.*s expected=%lld found=%lld", SPAN_ARG(w->world),
             (long long)w->high, (long long)rev);
    w->rewrite = true;
    w->low = rev;
    if (w->high < rev)
        w->high = rev;
    once_more(c);
}

/* ---- answers */

static void on_replicas(void *ctx, enum err e, const struct redis_answer *a)
{
    struct writer_call *c = ctx;

    if (c->w == NULL)
        writer_call_free(c);
    else if (e != ERR_OK)
        failed_alone(c, redis_why(e, a));
    else if (a->type != REDIS_INTEGER || a->integer < c->w->all->wait_replicas)
        failed_alone(c, SPAN("too few replicas have it"));
    else
        succeeded(c);
}

/* The connection is the one that the commit went over: it has just answered. */
static void wait_for_replicas(struct writer_call *c)
{
    const struct writers *all = c->w->all;
    const struct redis_call call = {.done = on_replicas, .ctx = c};
    char replicas[NUMBER_MAX], ms[NUMBER_MAX];
    int replicas_len = snprintf(replicas, sizeof(replicas), "%lld", (long long)all->wait_replicas);
    int ms_len = snprintf(ms, sizeof(ms), "%lld", (long long)all->wait_ms);
    const struct span words[] = {SPAN("WAIT"), span_of(replicas, (size_t)replicas_len),
                                 span_of(ms, (size_t)ms_len)};

    redis_command(all->redis, words, 3, &call);
}

static void on_commit(void *ctx, enum err e, const struct redis_answer *a)
{
    struct writer_call *c = ctx;
    struct world_commit_answer said;

    if (c->w == NULL) {
        writer_call_free(c);
        return;
    }
    if (e != ERR_OK) {
        failed_alone(c, redis_why(e, a));
        return;
    }
    said = world_commit_read(a);
    c->rev = said.rev;
    switch (said.said) {
    case COMMIT_OK:
        if (c->w->all->wait_replicas > 0 && (c->clear || c->flight))
            wait_for_replicas(c);
        else
            succeeded(c);
        break;
    case COMMIT_LOST:
        lost(c);
        break;
    case COMMIT_GAP:
        gap(c, said.rev);
        break;
    case COMMIT_BAD:
        failed_alone(c, said.why);
        break;
    }
}

/* ---- calls */

/* What core has is newer than what waits, and holds it. */
static void gather(struct world_writer *w)
{
    w->gathering = true;
    core_put_world(w->all->core, w->world);
    w->gathering = false;
}

void writer_begin(struct world_writer *w)
{
    struct writer_call *c;
    struct world_commit commit;
    struct redis_call call = {.done = on_commit};

    if (w->all->held || w->call != NULL || !(w->flight != NULL || w->look || w->rewrite))
        return;
    if (w->rewrite)
        gather(w);
    call.ctx = w->call = c = xcalloc(1, sizeof(*c));
    *c = (struct writer_call){.w = w,
                              .epoch = w->epoch,
                              .clear = w->rewrite,
                              .flight = w->flight != NULL,
                              .began_us = clock_mono_us()};
    list_push(&w->all->calls, &c->node);
    commit = (struct world_commit){.prefix = w->all->prefix,
                                   .world = w->world,
                                   .id = w->all->id,
                                   .epoch = w->epoch,
                                   .low = w->low,
                                   .high = w->high,
                                   .clock_ms = clock_wall_ms() + WRITER_CLOCK_LEAD_MS,
                                   .clear = c->clear,
                                   .batch = c->clear ? &w->whole : w->flight};
    world_commit_send(w->all->redis, &w->all->script, &commit, &call);
    if (c->clear || c->flight)
        w->high++;
    w->look = w->rewrite = false;
    batch_clear(&w->whole);
}
