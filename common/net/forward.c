/* Streams one exchange through an HTTP call. Owns the request until its answer is complete; what
 * goes into heads is decided elsewhere (common/proto/hop). */
#include "common/net/forward.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/proto/hop.h"

/* As much of a request's body is kept for a second try at another server. */
enum { KEPT_MAX = 64 * 1024 };

struct forward {
    struct responder responder;
    struct list node;
    struct forwards *all;
    const struct forward_kind *kind;
    void *ctx;

    struct http_exchange *x;
    struct http_call *call;
    struct buf head;
    int64_t body_len;
    struct buf kept; /* the body so far, as long as it may be sent again */
    bool kept_whole;
    bool body_complete;
    int status;        /* of the answer; 0: none yet */
    bool holds_client; /* the exchange is paused */
    int64_t started_us;
};

static struct forward_stats *stats_of(const struct forward *f)
{
    return &f->all->stats[f->kind->target];
}

static void forward_free(struct forward *f)
{
    list_remove(&f->node);
    (*f->all->now)--;
    buf_clear(&f->head);
    buf_clear(&f->kept);
    free(f->ctx);
    free(f);
}

/* The exchange is on its own from here. */
static struct http_exchange *let_go(struct forward *f)
{
    struct http_exchange *x = f->x;
    histogram_add(&stats_of(f)->time, clock_mono_us() - f->started_us);
    x->user = NULL;
    if (f->holds_client)
        http_exchange_resume(x);
    forward_free(f);
    return x;
}

static void give_up(struct forward *f, enum err why)
{
    log_debug("forward.failed", "target=%s why=%s", f->kind->name, err_text(why));
    stats_of(f)->answers[0]++;
    if (f->status != 0) {
        http_respond_abort(let_go(f));
        return;
    }
    int status = why == ERR_TIMEOUT ? f->kind->timeout_status : f->kind->failed_status;
    struct span body = span_str(f->kind->failed_body);
    struct span headers = f->kind->failed_headers;
    http_respond(let_go(f), status, headers, body);
}

/* ---- the answer */

static void on_head(void *ctx, const struct http_head *h)
{
    struct forward *f = ctx;
    struct buf lines = {0};
    hop_add_answer(&lines, h);
    f->status = h->status;
    http_respond_begin(f->x, h->status, buf_span(&lines), h->content_length);
    buf_clear(&lines);
}

static void on_body(void *ctx, struct span part)
{
    struct forward *f = ctx;
    http_respond_part(f->x, part);
    if (http_exchange_is_full(f->x))
        http_call_pause(f->call);
}

static void on_end(void *ctx)
{
    struct forward *f = ctx;
    f->call = NULL;
    stats_of(f)->answers[f->status / 100 % 6]++;
    http_respond_end(let_go(f));
}

static void on_failed(void *ctx, enum err why);

static void on_call_drained(void *ctx)
{
    struct forward *f = ctx;
    if (!f->holds_client)
        return;
    f->holds_client = false;
    http_exchange_resume(f->x);
}

static const struct http_call_ops call_ops = {
    .head = on_head,
    .body = on_body,
    .end = on_end,
    .failed = on_failed,
    .drained = on_call_drained,
};

static void begin_call(struct forward *f, struct http_pool *pool)
{
    f->call = http_pool_call(pool, buf_span(&f->head), f->body_len, &call_ops, f);
    if (f->kept.len > 0)
        http_call_body(f->call, buf_span(&f->kept));
    if (f->body_complete && f->body_len != HTTP_BODY_NO)
        http_call_end(f->call);
}

static void on_failed(void *ctx, enum err why)
{
    struct forward *f = ctx;
    f->call = NULL;
    /* Only what never left may be sent elsewhere: a request that broke off may have been obeyed. */
    struct http_pool *pool = NULL;
    if (why == ERR_MISSING && f->kept_whole && f->kind->next != NULL)
        pool = f->kind->next(f->ctx);
    if (pool == NULL)
        give_up(f, why);
    else
        begin_call(f, pool);
}

/* ---- the request */

static void keep(struct forward *f, struct span part)
{
    if (!f->kept_whole)
        return;
    f->kept_whole = f->kept.len + part.len <= KEPT_MAX;
    if (f->kept_whole)
        buf_add_span(&f->kept, part);
    else
        buf_clear(&f->kept);
}

static void on_request_body(struct responder *r, struct span part)
{
    struct forward *f = CONTAINER_OF(r, struct forward, responder);
    keep(f, part);
    http_call_body(f->call, part);
    if (!http_call_is_full(f->call) || f->holds_client)
        return;
    f->holds_client = true;
    http_exchange_pause(f->x);
}

static void on_request_complete(struct responder *r)
{
    struct forward *f = CONTAINER_OF(r, struct forward, responder);
    f->body_complete = true;
    if (f->body_len != HTTP_BODY_NO)
        http_call_end(f->call);
}

static void on_client_drained(struct responder *r)
{
    http_call_resume(CONTAINER_OF(r, struct forward, responder)->call);
}

static void on_client_gone(struct responder *r)
{
    struct forward *f = CONTAINER_OF(r, struct forward, responder);
    stats_of(f)->answers[0]++;
    http_call_cancel(f->call);
    forward_free(f);
}

static const struct responder_ops request_ops = {
    .body = on_request_body,
    .complete = on_request_complete,
    .drained = on_client_drained,
    .gone = on_client_gone,
};

static int64_t body_length(const struct http_head *h)
{
    if (h->chunked)
        return HTTP_BODY_STREAM;
    return h->content_length > 0 ? h->content_length : HTTP_BODY_NO;
}

void forward_start(struct forwards *all, struct http_exchange *x, struct http_pool *pool,
                   struct buf *head, const struct forward_kind *kind, void *ctx)
{
    struct forward *f = xcalloc(1, sizeof *f);
    *f = (struct forward){
        .responder.ops = &request_ops,
        .all = all,
        .kind = kind,
        .ctx = ctx,
        .x = x,
        .head = *head,
        .body_len = body_length(x->head),
        .kept_whole = true,
        .started_us = clock_mono_us(),
    };
    *head = (struct buf){0};
    list_push(&all->all, &f->node);
    (*all->now)++;
    x->user = &f->responder;
    begin_call(f, pool);
}

void forwards_init(struct forwards *all, struct forward_stats *stats, uint64_t *now)
{
    all->now = now;
    all->stats = stats;
    list_init(&all->all);
}

void forwards_clear(struct forwards *all)
{
    LIST_EACH_SAFE (&all->all, it, next) {
        struct forward *f = CONTAINER_OF(it, struct forward, node);
        http_call_cancel(f->call);
        forward_free(f);
    }
}
