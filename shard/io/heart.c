/* Sends beats, and hands core the answers. A world that cannot be connected to is left for another
 * at once; one that does not answer, for the next beat: what it has heard is not known. */
#include "shard/io/heart.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum { STATUS_MISDIRECTED = 421, STATUS_UNAVAILABLE = 503 };

struct pulse {
    struct list node;
    struct heart *heart;
    struct handle world_handle;
    struct buf head, body;
    struct worlds_walk walk;
    const struct upstream *world;
    struct errand errand;
    int64_t until_ms, begun_us;
    bool again;       /* has been sent to this world before */
    bool refused;     /* a world has said that it cannot take it just now */
    struct buf fault; /* what the last world that was tried did not do */
};

static void send_waiting(struct heart *h);

static void pulse_free(struct pulse *p)
{
    list_remove(&p->node);
    errand_clear(&p->errand);
    buf_clear(&p->head);
    buf_clear(&p->body);
    buf_clear(&p->fault);
    free(p);
}

static void finish(struct pulse *p, int status)
{
    struct heart *h = p->heart;
    struct ticker *t = h->ticker;
    h->under_way_count--;
    histogram_add(&h->time, clock_mono_us() - p->begun_us);
    node_beat_answered(t->node, p->world_handle, status,
                       status == 0 ? buf_span(&p->fault) : buf_span(&p->errand.answer),
                       ticker_now(t));
    ticker_touch(t);
    pulse_free(p);
    send_waiting(h);
}

static void send_pulse(struct pulse *p)
{
    const struct ticker *t = p->heart->ticker;
    errand_send(&p->errand, t->loop, p->world->errands, buf_span(&p->head), buf_span(&p->body),
                p->until_ms - ticker_now(t));
}

/* True: there is another world to be asked. */
static bool leave_world(struct pulse *p)
{
    p->again = false;
    p->world = worlds_next(p->heart->worlds, &p->walk);
    return p->world != NULL;
}

/* Nobody decides for the world just now, as far as this process knows: another one may know more,
 * and is asked once. */
static bool ask_another(struct pulse *p)
{
    int status = p->errand.status;
    bool refused = status == STATUS_UNAVAILABLE || status == STATUS_MISDIRECTED;
    if (!refused || p->refused)
        return false;
    p->refused = true;
    p->again = false;
    p->world = worlds_other(p->heart->worlds, &p->walk);
    return p->world != NULL;
}

static void on_answer(struct pulse *p)
{
    if (ask_another(p))
        send_pulse(p);
    else
        finish(p, p->errand.status);
}

static void note_fault(struct pulse *p, enum err why)
{
    const char *text = why == ERR_MISSING ? http_pool_fault(p->world->errands) : err_text(why);
    buf_reset(&p->fault);
    buf_addf(&p->fault, "%s: %s", p->world->origin->text, text);
}

static void on_failed(struct pulse *p, enum err why)
{
    note_fault(p, why);
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

static void on_done(struct errand *e, enum err why)
{
    struct pulse *p = CONTAINER_OF(e, struct pulse, errand);
    if (why == ERR_OK)
        on_answer(p);
    else if (why == ERR_FULL)
        finish(p, 0);
    else
        on_failed(p, why);
}

static void send_waiting(struct heart *h)
{
    const struct ticker *t = h->ticker;
    while (h->under_way_count < HEART_UNDER_WAY && !list_empty(&h->waiting)) {
        struct pulse *p = CONTAINER_OF(list_first(&h->waiting), struct pulse, node);
        list_remove(&p->node);
        list_push(&h->under_way, &p->node);
        h->under_way_count++;
        p->until_ms = ticker_now(t) + HEART_ANSWER_MS;
        p->begun_us = clock_mono_us();
        (void)leave_world(p); /* the first call finds the present one */
        send_pulse(p);
    }
}

void heart_init(struct heart *h, struct ticker *t, struct worlds *worlds,
                const struct secrets *secrets)
{
    *h = (struct heart){.ticker = t, .worlds = worlds, .secrets = secrets};
    list_init(&h->waiting);
    list_init(&h->under_way);
}

void heart_beat(struct heart *h, struct handle world, struct span world_id, struct span body)
{
    struct pulse *p = xcalloc(1, sizeof *p);
    p->heart = h;
    p->world_handle = world;
    p->errand.done = on_done;
    p->errand.answer_max = HEART_ANSWER_MAX;
    BUF_ADD_LIT(&p->head, "POST /parties/world/");
    url_encode(&p->head, world_id);
    BUF_ADD_LIT(&p->head, "/heartbeat HTTP/1.1\r\ncontent-type: application/json\r\n");
    BUF_ADD_LIT(&p->head, "x-access-shard: ");
    buf_add_span(&p->head, secrets_first(h->secrets));
    BUF_ADD_LIT(&p->head, "\r\n");
    buf_add_span(&p->body, body);
    list_push(&h->waiting, &p->node);
    send_waiting(h);
}

void heart_clear(struct heart *h)
{
    LIST_EACH_SAFE (&h->waiting, it, next)
        pulse_free(CONTAINER_OF(it, struct pulse, node));
    LIST_EACH_SAFE (&h->under_way, it, next)
        pulse_free(CONTAINER_OF(it, struct pulse, node));
    h->under_way_count = 0;
}
