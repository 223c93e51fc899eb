/* Sends beats, and hands core the answers. A world that cannot be connected to is left for another
 * at once; one that does not answer, for the next beat: what it has heard is not known. */
#include "shard/io/heart.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"

struct pulse {
    struct list node;
    struct heart *heart;
    struct handle world_handle;
    struct buf head, body, answer;
    struct worlds_walk walk;
    const struct upstream *world;
    struct http_call *call;
    struct timer deadline;
    int status;
    bool again; /* has been sent to this world before */
};

static void send_waiting(struct heart *h);

static void pulse_free(struct pulse *p)
{
    list_remove(&p->node);
    wheel_cancel(loop_wheel(p->heart->ticker->loop), &p->deadline);
    if (p->call != NULL)
        http_call_cancel(p->call);
    buf_clear(&p->head);
    buf_clear(&p->body);
    buf_clear(&p->answer);
    free(p);
}

static void finish(struct pulse *p, int status)
{
    struct heart *h = p->heart;
    struct ticker *t = h->ticker;
    h->under_way_count--;
    node_beat_answered(t->node, p->world_handle, status,
                       status == 0 ? SPAN("") : buf_span(&p->answer), ticker_now(t));
    ticker_touch(t);
    pulse_free(p);
    send_waiting(h);
}

static void on_head(void *ctx, const struct http_head *h)
{
    ((struct pulse *)ctx)->status = h->status;
}

static void on_body(void *ctx, struct span part)
{
    struct pulse *p = ctx;
    if (p->answer.len + part.len <= HEART_ANSWER_MAX)
        buf_add_span(&p->answer, part);
    else
        p->status = 0;
}

static void on_end(void *ctx)
{
    struct pulse *p = ctx;
    p->call = NULL;
    finish(p, p->status);
}

static void send_pulse(struct pulse *p);

/* True: there is another world to be asked. */
static bool leave_world(struct pulse *p)
{
    p->again = false;
    p->world = worlds_next(p->heart->worlds, &p->walk);
    return p->world != NULL;
}

static void on_failed(void *ctx, enum err why)
{
    struct pulse *p = ctx;
    p->call = NULL;
    log_debug("beat.broken", "world=%s why=%s", p->world->origin->text, err_text(why));
    if (why == ERR_IO && !p->again) {
        p->again = true; /* a kept connection had been closed; a world knows a beat by its number */
        send_pulse(p);
        return;
    }
    bool unheard = why == ERR_MISSING;
    if (leave_world(p) && unheard)
        send_pulse(p);
    else
        finish(p, 0);
}

static const struct http_call_ops call_ops = {
    .head = on_head,
    .body = on_body,
    .end = on_end,
    .failed = on_failed,
};

static void on_deadline(struct timer *t, int64_t now)
{
    struct pulse *p = CONTAINER_OF(t, struct pulse, deadline);
    (void)now;
    (void)leave_world(p);
    finish(p, 0);
}

static void send_pulse(struct pulse *p)
{
    p->status = 0;
    buf_reset(&p->answer);
    p->call =
        http_pool_call(p->world->errands, buf_span(&p->head), (int64_t)p->body.len, &call_ops, p);
    http_call_body(p->call, buf_span(&p->body));
    http_call_end(p->call);
}

static void send_waiting(struct heart *h)
{
    const struct ticker *t = h->ticker;
    while (h->under_way_count < HEART_UNDER_WAY && !list_empty(&h->waiting)) {
        struct pulse *p = CONTAINER_OF(list_first(&h->waiting), struct pulse, node);
        list_remove(&p->node);
        list_push(&h->under_way, &p->node);
        h->under_way_count++;
        wheel_set(loop_wheel(t->loop), &p->deadline, ticker_now(t) + HEART_ANSWER_MS);
        (void)leave_world(p); /* the first call finds the present one */
        send_pulse(p);
    }
}

void heart_init(struct heart *h, struct ticker *t, struct worlds *worlds, struct span secret)
{
    *h = (struct heart){.ticker = t, .worlds = worlds, .secret = secret};
    list_init(&h->waiting);
    list_init(&h->under_way);
}

void heart_beat(struct heart *h, struct handle world, struct span world_id, struct span body)
{
    struct pulse *p = xcalloc(1, sizeof *p);
    p->heart = h;
    p->world_handle = world;
    p->deadline.fire = on_deadline;
    BUF_ADD_LIT(&p->head, "POST /parties/world/");
    url_encode(&p->head, world_id);
    BUF_ADD_LIT(&p->head, "/heartbeat HTTP/1.1\r\ncontent-type: application/json\r\n");
    BUF_ADD_LIT(&p->head, "x-access-shard: ");
    buf_add_span(&p->head, h->secret);
    BUF_ADD_LIT(&p->head, "\r\n");
    buf_add_span(&p->body, body);
    list_push(&h->waiting, &p->node);
    send_waiting(h);
}

bool heart_is_idle(const struct heart *h)
{
    return list_empty(&h->waiting) && list_empty(&h->under_way);
}

void heart_clear(struct heart *h)
{
    LIST_EACH_SAFE (&h->waiting, it, next)
        pulse_free(CONTAINER_OF(it, struct pulse, node));
    LIST_EACH_SAFE (&h->under_way, it, next)
        pulse_free(CONTAINER_OF(it, struct pulse, node));
    h->under_way_count = 0;
}
