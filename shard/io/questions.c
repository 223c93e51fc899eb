/* Sends questions, moves on to another world when one cannot be reached, and hands the answer to
 * all who wait for it. A question that nobody waits for any more is given up. */
#include "shard/io/questions.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "shard/core/place.h"

struct question {
    struct list node;
    struct questions *all;
    struct buf key; /* empty: not shared */
    struct buf head, body, answer;
    struct list askers;
    struct worlds_walk walk;
    const struct upstream *world;
    struct http_call *call;
    struct timer deadline;
    int status;
    bool is_sent, again; /* again: has been sent to this world before */
};

static void question_free(struct question *p)
{
    struct questions *q = p->all;
    list_remove(&p->node);
    wheel_cancel(loop_wheel(q->ticker->loop), &p->deadline);
    if (p->key.len > 0)
        map_remove(&q->open, buf_span(&p->key));
    if (p->call != NULL)
        http_call_cancel(p->call);
    if (p->is_sent)
        q->under_way_count--;
    buf_clear(&p->key);
    buf_clear(&p->head);
    buf_clear(&p->body);
    buf_clear(&p->answer);
    free(p);
}

static int64_t *silent_until(const struct questions *q, const struct upstream *world)
{
    return &q->silent_until_ms[world - q->worlds->all.list];
}

static bool is_silent(const struct questions *q, const struct upstream *world)
{
    return loop_now(q->ticker->loop) < *silent_until(q, world);
}

static bool all_are_silent(const struct questions *q)
{
    for (size_t i = 0; i < q->worlds->all.origins.count; i++) {
        if (!is_silent(q, &q->worlds->all.list[i]))
            return false;
    }
    return true;
}

static void send_waiting(struct questions *q);

/* Nobody may join it any more: those who are told may ask again at once. */
static void finish(struct question *p, int status)
{
    struct questions *q = p->all;
    struct span answer = buf_span(&p->answer);
    bool shared = false;
    if (status == 0) {
        answer = (struct span){0};
        q->unanswered++;
    }
    if (p->key.len > 0)
        map_remove(&q->open, buf_span(&p->key));
    buf_reset(&p->key);
    for (struct list *first; (first = list_first(&p->askers)) != NULL; shared = true) {
        struct asking *who = CONTAINER_OF(first, struct asking, node);
        list_remove(&who->node);
        who->question = NULL;
        who->answered(who, status, answer, shared);
    }
    question_free(p);
    send_waiting(q);
}

/* ---- the errand */

static void on_head(void *ctx, const struct http_head *h)
{
    ((struct question *)ctx)->status = h->status;
}

static void on_body(void *ctx, struct span part)
{
    struct question *p = ctx;
    if (p->answer.len + part.len <= QUESTIONS_ANSWER_MAX)
        buf_add_span(&p->answer, part);
    else
        p->status = 0;
}

static void on_end(void *ctx)
{
    struct question *p = ctx;
    p->call = NULL;
    *silent_until(p->all, p->world) = 0;
    finish(p, p->status);
}

static void send_question(struct question *p);
static void try_next(struct question *p);

static void on_failed(void *ctx, enum err why)
{
    struct question *p = ctx;
    p->call = NULL;
    log_debug("resolve.failed", "world=%s why=%s", p->world->origin->text, err_text(why));
    if (why != ERR_IO || p->again) {
        try_next(p);
        return;
    }
    p->again = true; /* a kept connection had been closed; at worst a seat is promised twice */
    send_question(p);
}

static const struct http_call_ops call_ops = {
    .head = on_head,
    .body = on_body,
    .end = on_end,
    .failed = on_failed,
};

static void send_question(struct question *p)
{
    p->status = 0;
    buf_reset(&p->answer);
    p->call =
        http_pool_call(p->world->errands, buf_span(&p->head), (int64_t)p->body.len, &call_ops, p);
    http_call_body(p->call, buf_span(&p->body));
    http_call_end(p->call);
}

static void try_next(struct question *p)
{
    p->again = false;
    do {
        p->world = worlds_next(p->all->worlds, &p->walk);
    } while (p->world != NULL && is_silent(p->all, p->world));
    if (p->world == NULL)
        finish(p, 0);
    else
        send_question(p);
}

/* The world that keeps silent is not asked the next time, long enough for each of the others to be
 * found silent, too. */
static void fall_silent(struct question *p, int64_t now)
{
    struct worlds *worlds = p->all->worlds;
    *silent_until(p->all, p->world) = now + PLACE_ASK_MS * (int64_t)worlds->all.origins.count;
    (void)worlds_next(worlds, &p->walk);
}

static void deadline_fired(struct timer *t, int64_t now)
{
    struct question *p = CONTAINER_OF(t, struct question, deadline);
    if (p->call != NULL) {
        http_call_cancel(p->call);
        p->call = NULL;
        fall_silent(p, now);
    }
    finish(p, 0);
}

static void send_waiting(struct questions *q)
{
    struct loop *l = q->ticker->loop;
    while (q->under_way_count < QUESTIONS_UNDER_WAY && !list_empty(&q->waiting)) {
        struct question *p = CONTAINER_OF(list_first(&q->waiting), struct question, node);
        list_remove(&p->node);
        list_push(&q->under_way, &p->node);
        q->under_way_count++;
        p->is_sent = true;
        if (all_are_silent(q)) { /* not from inside questions_ask */
            wheel_set(loop_wheel(l), &p->deadline, loop_now(l));
            continue;
        }
        q->sent++;
        wheel_set(loop_wheel(l), &p->deadline, loop_now(l) + PLACE_ASK_MS);
        try_next(p);
    }
}

/* ---- who asks */

static void add_key(struct buf *key, const struct resolve *r)
{
    buf_add_char(key, (char)('0' + r->reason));
    buf_add_span(key, r->node);
    buf_add_char(key, '\0');
    buf_add_span(key, r->shard_id);
}

static struct question *question_new(struct questions *q, struct span world,
                                     const struct resolve *r)
{
    struct question *p = xcalloc(1, sizeof *p);
    p->all = q;
    p->deadline.fire = deadline_fired;
    list_init(&p->askers);
    BUF_ADD_LIT(&p->head, "POST /parties/world/");
    url_encode(&p->head, world);
    BUF_ADD_LIT(&p->head, "/resolve HTTP/1.1\r\ncontent-type: application/json\r\n");
    BUF_ADD_LIT(&p->head, "x-access-shard: ");
    buf_add_span(&p->head, q->secret);
    BUF_ADD_LIT(&p->head, "\r\n");
    resolve_add(&p->body, r);
    list_push(&q->waiting, &p->node);
    return p;
}

void questions_init(struct questions *q, struct ticker *t, struct worlds *worlds,
                    struct span secret)
{
    *q = (struct questions){.ticker = t, .worlds = worlds, .secret = secret};
    q->silent_until_ms = xcalloc(worlds->all.origins.count, sizeof *q->silent_until_ms);
    list_init(&q->waiting);
    list_init(&q->under_way);
}

void questions_ask(struct questions *q, struct asking *who, struct span world,
                   const struct resolve *r, bool alone)
{
    struct buf key = {0};
    struct question *p = NULL;
    if (!alone) {
        add_key(&key, r);
        p = map_get(&q->open, buf_span(&key));
    }
    bool is_new = p == NULL;
    if (is_new) {
        p = question_new(q, world, r);
        p->key = key;
        if (!alone)
            map_add(&q->open, buf_span(&p->key), p);
    } else {
        buf_clear(&key);
    }
    who->question = p;
    list_push(&p->askers, &who->node);
    if (is_new)
        send_waiting(q);
}

void asking_stop(struct asking *who)
{
    struct question *p = who->question;
    if (p == NULL)
        return;
    struct questions *q = p->all;
    who->question = NULL;
    list_remove(&who->node);
    bool is_ending = p->is_sent && p->call == NULL;
    if (!list_empty(&p->askers) || is_ending)
        return;
    question_free(p);
    send_waiting(q);
}

static void clear_list(struct list *all)
{
    LIST_EACH_SAFE (all, it, next) {
        struct question *p = CONTAINER_OF(it, struct question, node);
        for (struct list *first; (first = list_first(&p->askers)) != NULL;) {
            CONTAINER_OF(first, struct asking, node)->question = NULL;
            list_remove(first);
        }
        question_free(p);
    }
}

void questions_clear(struct questions *q)
{
    clear_list(&q->waiting);
    clear_list(&q->under_way);
    map_clear(&q->open);
    free(q->silent_until_ms);
    q->silent_until_ms = NULL;
}
