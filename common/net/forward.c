/* Streams one exchange through an HTTP call. Owns the request until its answer is complete; what
 * goes into heads is decided elsewhere (common/proto/hop). */
#include "common/net/forward.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/proto/hop.h"

struct forward {
    struct responder responder;
    struct list node;
    struct forwards *all;
    const struct forward_kind *kind;
    void *ctx;

    struct http_exchange *x;
    struct http_call *call; /* NULL: waits for its owner */
    const char *fault;      /* of the last call; static */
    struct http_pool *pool; /* that it was made of */
    struct buf head;
    struct buf reason;
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

/* It is gone; its owner knows. */
static void forward_drop(struct forward *f)
{
    list_remove(&f->node);
    (*f->all->now)--;
    buf_clear(&f->head);
    buf_clear(&f->kept);
    buf_clear(&f->reason);
    free(f);
}

static void forward_free(struct forward *f)
{
    void (*ended)(void *ctx) = f->kind->ended;
    void *ctx = f->ctx;
    forward_drop(f);
    if (ended != NULL)
        ended(ctx);
}

static struct http_exchange *release(struct forward *f)
{
    struct http_exchange *x = f->x;
    x->user = NULL;
    if (f->holds_client)
        http_exchange_resume(x);
    return x;
}

/* The exchange is on its own from here. */
static struct http_exchange *let_go(struct forward *f)
{
    struct http_exchange *x = release(f);
    histogram_add(&stats_of(f)->time, clock_mono_us() - f->started_us);
    forward_free(f);
    return x;
}

static void give_up(struct forward *f, enum err why)
{
    struct log_about *before = log_enter(&f->x->about);
    log_debug("forward.failed", "target=%s why=%s", f->kind->name, err_text(why));
    (void)log_enter(before);
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

/* The server says that it does not serve this. */
static void misdirected(struct forward *f, const struct http_head *h)
{
    buf_reset(&f->reason);
    buf_add_span(&f->reason, http_head_get(h, SPAN("x-terrane-reason")));
    http_call_cancel(f->call);
    f->call = NULL;
    if (f->kept_whole)
        f->kind->failed(f->ctx, f, FORWARD_MISDIRECTED);
    else
        give_up(f, ERR_DENIED);
}

static void on_head(void *ctx, const struct http_head *h)
{
    struct forward *f = ctx;
    struct buf lines = {0};
    if (h->status == 421 && f->kind->failed != NULL && !f->kind->keeps_421) {
        misdirected(f, h);
        return;
    }
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

/* Only what never left may be sent elsewhere: a request that broke off may have been obeyed. */
static void on_failed(void *ctx, enum err why)
{
    struct forward *f = ctx;
    f->call = NULL;
    f->fault = http_pool_fault(f->pool);
    if (why == ERR_MISSING && f->kept_whole && f->kind->failed != NULL)
        f->kind->failed(f->ctx, f, FORWARD_UNREACHABLE);
    else
        give_up(f, why);
}

static void resume_client(struct forward *f)
{
    if (!f->holds_client)
        return;
    f->holds_client = false;
    http_exchange_resume(f->x);
}

static void on_call_drained(void *ctx)
{
    resume_client(ctx);
}

static const struct http_call_ops call_ops = {
    .head = on_head,
    .body = on_body,
    .end = on_end,
    .failed = on_failed,
    .drained = on_call_drained,
};

/* What is too long to be sent twice is not kept any longer. */
static void keep_no_more_than_may_be_sent_twice(struct forward *f)
{
    if (f->kept.len <= FORWARD_KEPT_MAX)
        return;
    f->kept_whole = false;
    buf_clear(&f->kept);
}

void forward_try(struct forward *f, struct http_pool *pool)
{
    assert(f->call == NULL && f->status == 0);
    f->pool = pool;
    f->call = http_pool_call(pool, buf_span(&f->head), f->body_len, &call_ops, f);
    if (f->kept.len > 0)
        http_call_body(f->call, buf_span(&f->kept));
    if (f->body_complete && f->body_len != HTTP_BODY_NO)
        http_call_end(f->call);
    keep_no_more_than_may_be_sent_twice(f);
    if (!http_call_is_full(f->call))
        resume_client(f);
}

/* ---- the request */

/* Sends a part, or keeps it for the owner's next word; true when the client must wait. */
static bool take_body(struct forward *f, struct span part)
{
    if (f->kept_whole)
        buf_add_span(&f->kept, part);
    if (f->call == NULL)
        return f->kept.len >= FORWARD_KEPT_MAX;
    keep_no_more_than_may_be_sent_twice(f);
    http_call_body(f->call, part);
    return http_call_is_full(f->call);
}

static void on_request_body(struct responder *r, struct span part)
{
    struct forward *f = CONTAINER_OF(r, struct forward, responder);
    if (!take_body(f, part) || f->holds_client)
        return;
    f->holds_client = true;
    http_exchange_pause(f->x);
}

static void on_request_complete(struct responder *r)
{
    struct forward *f = CONTAINER_OF(r, struct forward, responder);
    f->body_complete = true;
    if (f->call != NULL && f->body_len != HTTP_BODY_NO)
        http_call_end(f->call);
}

static void on_client_drained(struct responder *r)
{
    http_call_resume(CONTAINER_OF(r, struct forward, responder)->call);
}

static void drop(struct forward *f)
{
    if (f->call != NULL)
        http_call_cancel(f->call);
    forward_free(f);
}

static void on_client_gone(struct responder *r)
{
    struct forward *f = CONTAINER_OF(r, struct forward, responder);
    stats_of(f)->answers[0]++;
    drop(f);
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

struct forward *forward_new(struct forwards *all, struct http_exchange *x, struct buf *head,
                            const struct forward_kind *kind, void *ctx)
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
    return f;
}

void forward_refuse(struct forward *f, int status, struct span headers, struct span body)
{
    assert(f->call == NULL && f->status == 0);
    stats_of(f)->answers[0]++;
    http_respond(let_go(f), status, headers, body);
}

struct span forward_reason(const struct forward *f)
{
    return buf_span(&f->reason);
}

const char *forward_fault(const struct forward *f)
{
    return f->fault;
}

void forward_turn(struct forward *f, struct buf *head, const struct forward_kind *kind, void *ctx)
{
    assert(f->call == NULL && f->status == 0);
    buf_clear(&f->head);
    f->head = *head;
    *head = (struct buf){0};
    f->kind = kind;
    f->ctx = ctx;
}

struct http_exchange *forward_give_back(struct forward *f)
{
    assert(f->call == NULL && f->status == 0);
    struct http_exchange *x = release(f);
    forward_drop(f);
    return x;
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
        drop(CONTAINER_OF(it, struct forward, node));
    }
}
