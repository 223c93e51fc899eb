/* The answer's half: what is believed of it, and how it gets to the client. */
#include "common/base/clock.h"
#include "common/proto/hop.h"
#include "world/io/passing_parts.h"

/* ---- is it believed? */

static int64_t epoch_of(const struct http_head *h)
{
    uint64_t epoch;

    if (span_to_u64(http_head_get(h, SPAN("x-terrane-epoch")), &epoch) != ERR_OK ||
        epoch > INT64_MAX)
        return 0;
    return (int64_t)epoch;
}

/* Who was not the owner any more when it answered names an older epoch, or, stopped in the middle
 * of it, none. Refusals that come before the world is looked at name none, either. */
static bool is_outdated(struct passing *p, int status, int64_t epoch)
{
    if (epoch == 0)
        return status < 300;
    return epoch < seekers_place(p->all->seekers, seeker_world(&p->seeker)).epoch;
}

/* It was not obeyed, or it may be obeyed twice. */
static void try_again(struct passing *p)
{
    passing_drop_call(p);
    seeker_failed(&p->seeker);
}

static void fail(struct passing *p)
{
    if (p->repeatable) {
        try_again(p);
        return;
    }
    seeker_doubt(&p->seeker);
    passing_break(p);
}

/* ---- towards the client */

static void count(struct passing *p)
{
    p->all->stats->passed++;
    histogram_add(&p->all->stats->time, clock_mono_us() - p->begun_us);
}

/* The answer is the request's from here; the passing is gone. */
static void deliver(struct passing *p)
{
    struct buf lines = p->lines, body = p->kept;

    p->lines = p->kept = (struct buf){0};
    count(p);
    request_respond(p->request, p->status, buf_span(&lines), buf_span(&body));
    buf_clear(&lines);
    buf_clear(&body);
}

static void pass_part(struct passing *p, struct span part)
{
    struct http_exchange *x = p->request->x;

    http_respond_part(x, part);
    if (http_exchange_is_full(x))
        http_call_pause(p->call);
}

/* Nothing is kept any more, so nothing is sought any more; and nobody waits for it to end. */
static void begin_stream(struct passing *p)
{
    p->streams = true;
    lane_leave(&p->all->lanes, &p->lane);
    http_respond_begin(p->request->x, p->status, buf_span(&p->lines), p->length);
    if (p->kept.len > 0)
        pass_part(p, buf_span(&p->kept));
    buf_clear(&p->lines);
    buf_clear(&p->kept);
}

void passing_end_stream(struct passing *p)
{
    if (!p->streams)
        return;
    count(p);
    request_over(p->request, http_respond_end);
}

/* ---- the call */

static void on_head(void *ctx, const struct http_head *h)
{
    struct passing *p = ctx;
    int64_t epoch = epoch_of(h);

    if (epoch > p->seeker.epoch)
        seeker_saw(&p->seeker, epoch);
    if (h->status == 421) {
        p->all->stats->misdirected++;
        try_again(p);
        return;
    }
    if (is_outdated(p, h->status, epoch)) {
        p->all->stats->outdated++;
        fail(p);
        return;
    }
    p->status = h->status;
    p->length = h->content_length;
    hop_add_answer(&p->lines, h);
    if (p->request->x != NULL &&
        span_starts(http_head_get(h, SPAN("content-type")), SPAN("text/event-stream")))
        begin_stream(p);
}

static void on_body(void *ctx, struct span part)
{
    struct passing *p = ctx;

    if (p->streams) {
        pass_part(p, part);
        return;
    }
    buf_add_span(&p->kept, part);
    if (p->kept.len <= PASSING_KEPT_MAX)
        return;
    if (p->request->x != NULL)
        begin_stream(p);
    else
        passing_break(p);
}

static void on_end(void *ctx)
{
    struct passing *p = ctx;

    p->call = NULL;
    if (p->streams)
        passing_end_stream(p);
    else
        deliver(p);
}

static void on_failed(void *ctx, enum err why)
{
    struct passing *p = ctx;

    p->call = NULL;
    if (p->streams)
        request_over(p->request, http_respond_abort);
    else if (why == ERR_MISSING)
        try_again(p);
    else
        fail(p);
}

static void on_drained(void *ctx)
{
    passing_send(ctx);
}

const struct http_call_ops passing_call_ops = {
    .head = on_head,
    .body = on_body,
    .end = on_end,
    .failed = on_failed,
    .drained = on_drained,
};
