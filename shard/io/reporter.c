/* Sends reports, moves on to another world when one cannot be reached, tells core how it went. */
#include "shard/io/reporter.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/errand.h"
#include "common/proto/report.h"

/* So that ten thousand shards do not open ten thousand connections when a world is slow. */
enum { UNDER_WAY_MAX = 32 };
enum { ANSWER_MS = 8000, ANSWER_MAX = 64 * 1024 };

struct report {
    struct list node;
    struct reporter *reporter;
    struct handle shard;
    struct buf head, body;
    struct worlds_walk walk;
    const struct upstream *world;
    struct errand errand;
    bool again; /* has been sent to this world before */
};

static void send_waiting(struct reporter *r);

static void report_free(struct report *p)
{
    list_remove(&p->node);
    errand_clear(&p->errand);
    buf_clear(&p->head);
    buf_clear(&p->body);
    free(p);
}

static void finish(struct report *p, bool confirmed)
{
    struct reporter *r = p->reporter;
    struct handle shard = p->shard;
    r->under_way_count--;
    report_free(p);
    node_reported(r->ticker->node, shard, confirmed, ticker_now(r->ticker));
    ticker_touch(r->ticker);
    send_waiting(r);
}

static void send_report(struct report *p)
{
    errand_send(&p->errand, p->reporter->ticker->loop, p->world->errands, buf_span(&p->head),
                buf_span(&p->body), ANSWER_MS);
}

static void try_next(struct report *p)
{
    p->again = false;
    p->world = worlds_next(p->reporter->worlds, &p->walk);
    if (p->world == NULL)
        finish(p, false);
    else
        send_report(p);
}

/* An answer that is longer than we care to read has a status all the same. */
static void on_answer(struct report *p)
{
    bool confirmed = p->errand.status >= 200 && p->errand.status < 300;
    if (!confirmed)
        log_debug("report.refused", "status=%d", p->errand.status);
    finish(p, confirmed);
}

static void on_failed(struct report *p, enum err why)
{
    log_debug("report.failed", "world=%s why=%s", p->world->origin->text, err_text(why));
    if (why != ERR_IO || p->again) {
        try_next(p);
        return;
    }
    p->again = true; /* a kept connection had been closed; to tell a count twice does no harm */
    send_report(p);
}

static void on_done(struct errand *e, enum err why)
{
    struct report *p = CONTAINER_OF(e, struct report, errand);
    if (why == ERR_OK || why == ERR_FULL)
        on_answer(p);
    else
        on_failed(p, why);
}

static void send_waiting(struct reporter *r)
{
    while (r->under_way_count < UNDER_WAY_MAX && !list_empty(&r->waiting)) {
        struct report *p = CONTAINER_OF(list_first(&r->waiting), struct report, node);
        list_remove(&p->node);
        list_push(&r->under_way, &p->node);
        r->under_way_count++;
        try_next(p);
    }
}

void reporter_init(struct reporter *r, struct ticker *t, struct worlds *worlds,
                   const struct secrets *secrets)
{
    *r = (struct reporter){.ticker = t, .worlds = worlds, .secrets = secrets};
    list_init(&r->waiting);
    list_init(&r->under_way);
}

void reporter_send(struct reporter *r, struct handle shard, struct span shard_id, struct span world,
                   uint64_t connections)
{
    struct report *p = xcalloc(1, sizeof *p);
    p->reporter = r;
    p->shard = shard;
    p->errand.done = on_done;
    p->errand.answer_max = ANSWER_MAX;
    BUF_ADD_LIT(&p->head, "POST /parties/world/");
    url_encode(&p->head, world);
    BUF_ADD_LIT(&p->head, "/update-shard HTTP/1.1\r\ncontent-type: application/json\r\n");
    BUF_ADD_LIT(&p->head, "x-access-shard: ");
    buf_add_span(&p->head, secrets_first(r->secrets));
    BUF_ADD_LIT(&p->head, "\r\n");
    report_add(&p->body, shard_id, world, connections);
    list_push(&r->waiting, &p->node);
    send_waiting(r);
}

bool reporter_is_idle(const struct reporter *r)
{
    return list_empty(&r->waiting) && list_empty(&r->under_way);
}

void reporter_clear(struct reporter *r)
{
    LIST_EACH_SAFE (&r->waiting, it, next)
        report_free(CONTAINER_OF(it, struct report, node));
    LIST_EACH_SAFE (&r->under_way, it, next)
        report_free(CONTAINER_OF(it, struct report, node));
    r->under_way_count = 0;
}
