/* One call at a time and world. What is wanted (a look, a rewrite, a flight) is noted, and begun
 * when the call before has ended; a call that fails puts its wants back. */
#include "world/io/redis/world_writer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"

enum { NUMBER_MAX = 24 };

struct writer_call {
    struct list node;
    struct world_writer *w; /* NULL: it has gone */
    int64_t epoch;
    bool clear, flight; /* what it carries */
    int64_t rev;        /* once the script has answered */
    int64_t began_us;
};

static void begin(struct world_writer *w);

/* ---- what is counted */

static void count_pending(struct world_writer *w, uint64_t pending)
{
    w->all->stats->pending += pending - w->pending;
    w->pending = pending;
}

static void count_failing(struct world_writer *w, bool failing)
{
    if (failing && !w->failing)
        w->all->failing++;
    else if (!failing && w->failing)
        w->all->failing--;
    w->failing = failing;
    w->all->stats->failing = w->all->failing > 0;
}

static void count_call(const struct writer_call *c, bool good)
{
    struct store_stats *stats = c->w->all->stats;

    histogram_add(&stats->commit, clock_mono_us() - c->began_us);
    if (good)
        stats->commits++;
    else
        stats->errors++;
    count_failing(c->w, !good);
}

/* ---- the end of a call */

static void check_closed(struct world_writer *w)
{
    bool done = write_behind_is_idle(&w->behind) && !w->look && !w->rewrite;

    if (!w->closing || w->call != NULL || !(done || w->gave_up))
        return;
    if (!done)
        log_error("store.lost", "world=%.*s records=%zu", SPAN_ARG(w->world),
                  batch_count(&w->behind.batch));
    w->closing = false;
    w->all->closed(w->all->ctx, w->world);
}

static void on_turn_end(struct turn_end *end)
{
    check_closed(CONTAINER_OF(end, struct world_writer, end));
}

static void call_free(struct writer_call *c)
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
        count_pending(w, batch_count(&w->behind.batch) +
                             (e == ERR_OK ? 0 : batch_count(&w->behind.flight)));
        write_behind_done(&w->behind, e);
        w = c->w;
    }
    call_free(c);
    return w != NULL;
}

static void succeeded(struct writer_call *c)
{
    struct world_writer *w = c->w;

    w->low = w->high = c->rev;
    count_call(c, true);
    if (!end_call(c, ERR_OK))
        return;
    begin(w);
    check_closed(w);
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
        check_closed(w);
}

/* What it was about is to be done still. */
static void shelve(struct writer_call *c)
{
    struct world_writer *w = c->w;

    w->rewrite = w->rewrite || c->clear;
    w->look = w->look || (!c->clear && !c->flight);
    call_free(c);
}

/* The same again, with what is wanted by now. */
static void once_more(struct writer_call *c)
{
    struct world_writer *w = c->w;

    shelve(c);
    begin(w);
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
        call_free(c);
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
        call_free(c);
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

static void begin(struct world_writer *w)
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

static void on_retry(struct timer *timer, int64_t now)
{
    (void)now;
    begin(CONTAINER_OF(timer, struct world_writer, retry));
}

static enum err commit(void *ctx, const struct batch *batch)
{
    struct world_writer *w = ctx;

    w->flight = batch;
    count_pending(w, batch_count(batch));
    begin(w);
    return ERR_AGAIN;
}

/* ---- */

void writers_init(struct writers *all)
{
    list_init(&all->calls);
}

void writers_clear(struct writers *all)
{
    LIST_EACH_SAFE (&all->calls, it, after) {
        call_free(CONTAINER_OF(it, struct writer_call, node));
    }
}

struct world_writer *world_writer_new(struct writers *all, struct span world, int64_t epoch,
                                      int64_t rev)
{
    struct world_writer *w = xcalloc(1, sizeof(*w));
    const struct write_target target = {
        .ctx = w, .commit = commit, .patience_ms = all->patience_ms};

    *w = (struct world_writer){.all = all,
                               .world = span_copy(world),
                               .epoch = epoch,
                               .low = rev,
                               .high = rev,
                               .retry.fire = on_retry,
                               .end.fn = on_turn_end};
    batch_init(&w->whole);
    write_behind_init(&w->behind, all->loop, all->core, &target);
    return w;
}

void world_writer_free(struct world_writer *w, bool told)
{
    if (w->call != NULL)
        w->call->w = NULL;
    count_pending(w, 0);
    count_failing(w, false);
    wheel_cancel(loop_wheel(w->all->loop), &w->retry);
    loop_not_at_turn_end(&w->end);
    if (told)
        write_behind_drop(&w->behind, ERR_DENIED);
    write_behind_clear(&w->behind);
    batch_clear(&w->whole);
    span_free(w->world);
    free(w);
}

void world_writer_put(struct world_writer *w, const struct record *record)
{
    struct store_port port = write_behind_port(&w->behind);

    if (w->gathering)
        batch_put(&w->whole, record);
    else
        port.put(port.ctx, record);
}

void world_writer_remove(struct world_writer *w, enum record_kind kind, struct span key)
{
    struct store_port port = write_behind_port(&w->behind);

    port.remove(port.ctx, kind, w->world, key);
}

void world_writer_sync(struct world_writer *w, uint64_t token)
{
    struct store_port port = write_behind_port(&w->behind);

    port.sync(port.ctx, w->world, token);
}

void world_writer_raise(struct world_writer *w, int64_t epoch)
{
    w->epoch = epoch;
    w->rewrite = true;
    begin(w);
    write_behind_retry(&w->behind);
}

void world_writer_look(struct world_writer *w)
{
    w->look = true;
    begin(w);
    write_behind_retry(&w->behind);
}

void world_writer_refuse(struct world_writer *w)
{
    if (w->flight == NULL || w->call != NULL)
        return;
    w->flight = NULL;
    w->gave_up = w->closing;
    count_failing(w, true);
    write_behind_done(&w->behind, ERR_IO);
    count_pending(w, batch_count(&w->behind.batch));
    check_closed(w);
}

void world_writer_close(struct world_writer *w)
{
    w->closing = true;
    w->gave_up = false;
    begin(w);
    if (write_behind_flush(&w->behind) == ERR_OK)
        loop_at_turn_end(w->all->loop, &w->end);
}
