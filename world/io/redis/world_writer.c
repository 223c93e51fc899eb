/* What is wanted (a look, a rewrite, a flight) is noted here; writer_call.c does it. */
#include "world/io/redis/world_writer.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "world/io/redis/writer_call.h"

/* ---- what is counted */

void writer_count_pending(struct world_writer *w, uint64_t pending)
{
    w->all->stats->pending += pending - w->pending;
    w->pending = pending;
}

void writer_count_failing(struct world_writer *w, bool failing)
{
    if (failing && !w->failing)
        w->all->failing++;
    else if (!failing && w->failing)
        w->all->failing--;
    w->failing = failing;
    w->all->stats->failing = w->all->failing > 0;
}

/* ---- the end */

void writer_check_closed(struct world_writer *w)
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
    writer_check_closed(CONTAINER_OF(end, struct world_writer, end));
}

static void on_retry(struct timer *timer, int64_t now)
{
    (void)now;
    writer_begin(CONTAINER_OF(timer, struct world_writer, retry));
}

static enum err commit(void *ctx, const struct batch *batch)
{
    struct world_writer *w = ctx;

    w->flight = batch;
    writer_count_pending(w, batch_count(batch));
    writer_begin(w);
    return ERR_AGAIN;
}

/* ---- writers */

void writers_init(struct writers *all)
{
    list_init(&all->calls);
}

void writers_clear(struct writers *all)
{
    LIST_EACH_SAFE (&all->calls, it, after) {
        writer_call_free(CONTAINER_OF(it, struct writer_call, node));
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
    writer_count_pending(w, 0);
    writer_count_failing(w, false);
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
    writer_begin(w);
    write_behind_retry(&w->behind);
}

void world_writer_look(struct world_writer *w)
{
    w->look = true;
    writer_begin(w);
    write_behind_retry(&w->behind);
}

void world_writer_refuse(struct world_writer *w)
{
    if (w->flight == NULL || w->call != NULL)
        return;
    w->flight = NULL;
    w->gave_up = w->closing;
    writer_count_failing(w, true);
    write_behind_done(&w->behind, ERR_IO);
    writer_count_pending(w, batch_count(&w->behind.batch));
    writer_check_closed(w);
}

void world_writer_close(struct world_writer *w)
{
    w->closing = true;
    w->gave_up = false;
    writer_begin(w);
    if (write_behind_flush(&w->behind) == ERR_OK)
        loop_at_turn_end(w->all->loop, &w->end);
}
