/* One errand to each peer at a time. Answers are summed up and told once all are there, or have
 * failed. */
#include "world/io/redis/peers.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/errand.h"
#include "common/net/http_server.h"
#include "common/proto/member.h"

#define PATH "/terrane/peer"

enum { ANSWER_MAX = 4096, ID_MAX = 64 };

struct peer_question {
    struct list node;
    struct peers *all;
    struct buf url;
    struct errand errand;
};

static const struct http_pool_settings pool_settings = {
    .connect_ms = PEERS_ASK_MS,
    .answer_ms = PEERS_ASK_MS,
    .max_idle = 1,
    .idle_ms = 4000,
    .high_water = 16 * 1024,
};

static void question_free(struct peer_question *q)
{
    list_remove(&q->node);
    errand_clear(&q->errand);
    buf_clear(&q->url);
    free(q);
}

static void give_up(struct peers *p)
{
    LIST_EACH_SAFE (&p->asked, it, next)
        question_free(CONTAINER_OF(it, struct peer_question, node));
    wheel_cancel(loop_wheel(p->loop), &p->over);
}

/* ---- answers */

/* What somebody says who is not us: an address may be wrong, or another's by now. */
static bool read_answer(const struct peers *p, struct span body, struct lease_reach *out)
{
    json_t *doc = json_decode(body);
    struct member_reader r = {.object = doc};
    struct span id = {0};
    bool reaches = false, good;

    *out = (struct lease_reach){0};
    good = member_id(&r, "id", ID_MAX, &id) && !span_eq(id, p->signer->id) &&
           json_get_bool(doc, "reachesRedis", &reaches) && member_time(&r, "agoMs", &out->ago_ms);
    out->reaches = reaches;
    json_decref(doc);
    return good;
}

static void count_answer(struct peers *p, const struct lease_reach *reach, struct span url)
{
    struct lease_answers *said = &p->said;
    bool first = said->reach + said->away == 0;

    p->answers++;
    if (first || reach->ago_ms < said->ago_ms)
        said->ago_ms = reach->ago_ms;
    if (!reach->reaches) {
        said->away++;
        return;
    }
    if (said->reach++ > 0)
        return;
    buf_add_span(&p->url, url);
    said->url = buf_span(&p->url);
}

static void on_done(struct errand *e, enum err why)
{
    struct peer_question *q = CONTAINER_OF(e, struct peer_question, errand);
    struct peers *p = q->all;
    struct lease_reach reach;

    if (why == ERR_OK && e->status == 200 && read_answer(p, buf_span(&e->answer), &reach))
        count_answer(p, &reach, buf_span(&q->url));
    else
        log_debug("peer.silent", "url=%.*s status=%d why=%s", SPAN_ARG(buf_span(&q->url)),
                  e->status, err_text(why));
    question_free(q);
    if (list_empty(&p->asked))
        p->events->said(p->events->ctx, &p->said, p->asked_ms);
}

static void on_over(struct timer *t, int64_t now)
{
    struct peers *p = CONTAINER_OF(t, struct peers, over);

    (void)now;
    p->events->said(p->events->ctx, &p->said, p->asked_ms);
}

/* ---- questions */

static void ask(struct peers *p, struct span url, struct span head)
{
    struct http_pool *pool = pools_get(&p->pools, url);
    struct peer_question *q;

    if (pool == NULL)
        return;
    q = xcalloc(1, sizeof(*q));
    q->all = p;
    q->errand.done = on_done;
    q->errand.answer_max = ANSWER_MAX;
    buf_add_span(&q->url, url);
    list_push(&p->asked, &q->node);
    p->questions++;
    errand_send(&q->errand, p->loop, pool, head, SPAN(""), PEERS_ASK_MS);
}

void peers_init(struct peers *p, struct loop *l, const struct signer *signer,
                const struct peers_events *events)
{
    *p = (struct peers){.loop = l, .signer = signer, .events = events, .over.fire = on_over};
    pools_init(&p->pools, l, &pool_settings);
    p->pools.inside = true;
    list_init(&p->asked);
}

void peers_ask(struct peers *p, const struct lease_peer *peers, size_t count)
{
    struct buf head = {0};

    give_up(p);
    p->said = (struct lease_answers){0};
    buf_reset(&p->url);
    p->asked_ms = loop_now(p->loop);
    signed_head_add(&head, p->signer, SPAN("GET"), SPAN(PATH));
    for (size_t i = 0; i < count && i < PEERS_MAX; i++)
        ask(p, peers[i].url, buf_span(&head));
    buf_clear(&head);
    if (list_empty(&p->asked))
        wheel_set(loop_wheel(p->loop), &p->over, loop_now(p->loop));
}

bool peers_take(struct peers *p, struct http_exchange *x)
{
    struct buf body = {0};
    struct lease_reach reach;

    if (!span_eq(x->head->method, SPAN("GET")) || !span_eq(x->head->target, SPAN(PATH)))
        return false;
    reach = p->events->tell(p->events->ctx);
    buf_addf(&body, "{\"id\":\"%.*s\",\"reachesRedis\":%s,\"agoMs\":%lld}", SPAN_ARG(p->signer->id),
             reach.reaches ? "true" : "false", (long long)reach.ago_ms);
    http_respond(x, 200, SPAN("Content-Type: application/json\r\n"), buf_span(&body));
    buf_clear(&body);
    return true;
}

void peers_clear(struct peers *p)
{
    give_up(p);
    pools_clear(&p->pools);
    buf_clear(&p->url);
}
