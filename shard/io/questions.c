/* Sends questions, moves on to another world when one cannot be reached, and hands the answer to
 * all who wait for it. A question that nobody waits for any more is given up. */
#include "shard/io/questions.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/errand.h"
#include "shard/core/place.h"

struct question {
    struct list node;
    struct questions *all;
    struct buf key; /* empty: not shared */
    struct buf head, body;
    struct list askers;
    struct worlds_walk walk;
    const struct upstream *world;
    struct errand errand;
    int64_t until_ms, begun_us;
    struct timer give_up; /* set when no world is worth asking */
    bool is_sent, again;  /* again: has been sent to this world before */
};

static void question_free(struct question *p)
{
    struct questions *q = p->all;
    list_remove(&p->node);
    wheel_cancel(loop_wheel(q->ticker->loop), &p->give_up);
    if (p->key.len > 0)
        map_remove(&q->open, buf_span(&p->key));
    errand_clear(&p->errand);
    if (p->is_sent)
        q->under_way_count--;
    buf_clear(&p->key);
    buf_clear(&p->head);
    buf_clear(&p->body);
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
    struct span answer = buf_span(&p->errand.answer);
    bool shared = false;
    if (status == 0) {
        answer = (struct span){0};
        q->unanswered++;
    }
    histogram_add(&q->time, clock_mono_us() - p->begun_us);
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

static void send_question(struct question *p)
{
    struct loop *l = p->all->ticker->loop;
    errand_send(&p->errand, l, p->world->errands, buf_span(&p->head), buf_span(&p->body),
                p->until_ms - loop_now(l));
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
static void fall_silent(struct question *p)
{
    struct worlds *worlds = p->all->worlds;
    *silent_until(p->all, p->world) =
        loop_now(p->all->ticker->loop) + PLACE_ASK_MS * (int64_t)worlds->all.origins.count;
    (void)worlds_next(worlds, &p->walk);
}

static void on_failed(struct question *p, enum err why)
{
    log_debug("resolve.failed", "world=%s why=%s", p->world->origin->text, err_text(why));
    if (why == ERR_TIMEOUT) {
        fall_silent(p);
        finish(p, 0);
    } else if (why != ERR_IO || p->again) {
        try_next(p);
    } else {
        p->again = true; /* a kept connection had been closed; at worst a seat is promised twice */
        send_question(p);
    }
}

static void on_done(struct errand *e, enum err why)
{
    struct question *p = CONTAINER_OF(e, struct question, errand);
    if (why != ERR_OK && why != ERR_FULL) {
        on_failed(p, why);
        return;
    }
    *silent_until(p->all, p->world) = 0;
    finish(p, why == ERR_OK ? e->status : 0);
}

static void give_up_fired(struct timer *t, int64_t now)
{
    (void)now;
    finish(CONTAINER_OF(t, struct question, give_up), 0);
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
        p->begun_us = clock_mono_us();
        if (all_are_silent(q)) { /* not from inside questions_ask */
            wheel_set(loop_wheel(l), &p->give_up, loop_now(l));
            continue;
        }
        q->sent++;
        p->until_ms = loop_now(l) + PLACE_ASK_MS;
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
                                     const struct resolve *r, const struct trace *trace)
{
    struct question *p = xcalloc(1, sizeof *p);
    p->all = q;
    p->give_up.fire = give_up_fired;
    p->errand.done = on_done;
    p->errand.answer_max = QUESTIONS_ANSWER_MAX;
    list_init(&p->askers);
    BUF_ADD_LIT(&p->head, "POST /parties/world/");
    url_encode(&p->head, world);
    BUF_ADD_LIT(&p->head, "/resolve HTTP/1.1\r\ncontent-type: application/json\r\n");
    BUF_ADD_LIT(&p->head, "x-access-shard: ");
    buf_add_span(&p->head, secrets_first(q->secrets));
    BUF_ADD_LIT(&p->head, "\r\n");
    if (trace != NULL)
        trace_add_line(&p->head, trace);
    resolve_add(&p->body, r);
    list_push(&q->waiting, &p->node);
    return p;
}

void questions_init(struct questions *q, struct ticker *t, struct worlds *worlds,
                    const struct secrets *secrets)
{
    *q = (struct questions){.ticker = t, .worlds = worlds, .secrets = secrets};
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
        p = question_new(q, world, r, who->trace);
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
    bool is_ending = p->is_sent && !errand_is_under_way(&p->errand);
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
