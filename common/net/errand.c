/* One call with a time of its own. A wish to end it comes from outside only: what it hears may free
 * it with its owner. */
#include "common/net/errand.h"

static void end(struct errand *e, enum err why)
{
    e->call = NULL;
    wheel_cancel(loop_wheel(e->loop), &e->deadline);
    e->done(e, why);
}

static void on_head(void *ctx, const struct http_head *h)
{
    ((struct errand *)ctx)->status = h->status;
}

static void on_body(void *ctx, struct span part)
{
    struct errand *e = ctx;
    if (part.len <= e->answer_max - e->answer.len) {
        buf_add_span(&e->answer, part);
        return;
    }
    http_call_cancel(e->call);
    end(e, ERR_FULL);
}

static void on_end(void *ctx)
{
    end(ctx, ERR_OK);
}

static void on_failed(void *ctx, enum err why)
{
    end(ctx, why);
}

static void on_deadline(struct timer *t, int64_t now)
{
    struct errand *e = CONTAINER_OF(t, struct errand, deadline);
    (void)now;
    http_call_cancel(e->call);
    end(e, ERR_TIMEOUT);
}

static const struct http_call_ops call_ops = {
    .head = on_head,
    .body = on_body,
    .end = on_end,
    .failed = on_failed,
};

void errand_send(struct errand *e, struct loop *l, struct http_pool *pool, struct span head,
                 struct span body, int64_t timeout_ms)
{
    e->loop = l;
    e->status = 0;
    buf_reset(&e->answer);
    e->deadline.fire = on_deadline;
    wheel_set(loop_wheel(l), &e->deadline, loop_now(l) + timeout_ms);
    e->call = http_pool_call(pool, head, (int64_t)body.len, &call_ops, e);
    if (body.len == 0)
        return;
    http_call_body(e->call, body);
    http_call_end(e->call);
}

void errand_clear(struct errand *e)
{
    if (e->loop != NULL)
        wheel_cancel(loop_wheel(e->loop), &e->deadline);
    if (e->call != NULL)
        http_call_cancel(e->call);
    e->call = NULL;
    buf_clear(&e->answer);
}
