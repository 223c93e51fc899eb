/* The request's half: what goes out, and what its client is told when nothing comes back. */
#include "world/io/passing.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stable_hash.h"
#include "common/proto/secret.h"
#include "world/io/elsewhere.h"
#include "world/io/passing_parts.h"

enum {
    SEND_BYTES = 64 * 1024,  /* of a body, at a time */
    QUICK_BYTES = 16 * 1024, /* of a request that shares a connection */
    QUICK_DEPTH = 64,        /* such requests on one, at a time */
};

static struct passing *passing_of(struct seeker *s)
{
    return CONTAINER_OF(s, struct passing, seeker);
}

/* ---- the request goes out */

static void add_head_of(struct passing *p, const struct http_head *h, const struct addr *client,
                        const struct addr *peer, bool trusted, struct buf *out)
{
    elsewhere_add_request(out, h,
                          &(struct elsewhere_request){.secrets = p->all->secrets,
                                                      .id = p->all->id,
                                                      .client = client,
                                                      .peer = peer,
                                                      .epoch = p->seeker.epoch,
                                                      .trusted_peer = trusted});
}

/* As if this process were its own client. */
static void add_head_of_question(struct passing *p, struct buf *out)
{
    struct addr here = {0};
    struct http_head h = {
        .method = SPAN("POST"), .target = request_path(p->request), .header_count = 1};
    enum err e = addr_parse(SPAN("127.0.0.1"), &here);

    (void)e;
    h.headers[0] = (struct http_header){SPAN("x-access-shard"), secrets_first(p->all->secrets)};
    add_head_of(p, &h, &here, &here, false, out);
}

static void add_head(struct passing *p, struct buf *out)
{
    struct request *r = p->request;
    struct addr client;

    if (r->question != NULL) {
        add_head_of_question(p, out);
        return;
    }
    client = request_client(r);
    add_head_of(p, r->x->head, &client, &r->x->peer, request_peer_is_trusted(r), out);
}

void passing_send(struct passing *p)
{
    struct span body = buf_span(&p->request->body);

    if (p->sent == body.len)
        return;
    while (p->sent < body.len && !http_call_is_full(p->call)) {
        size_t end = body.len - p->sent > SEND_BYTES ? p->sent + SEND_BYTES : body.len;
        http_call_body(p->call, span_slice(body, p->sent, end));
        p->sent = end;
    }
    if (p->sent == body.len)
        http_call_end(p->call);
}

/* ---- its way */

static void here(struct seeker *s)
{
    struct passing *p = passing_of(s);
    struct request *r = p->request;

    passing_free(p);
    r->handed_ms = loop_now(r->server->loop);
    request_hand_to_core(r);
}

/* Short, soon answered, and harmless when sent twice: it may share a connection. */
static bool is_quick(const struct passing *p, size_t head_len)
{
    return p->repeatable && api_is_quick(request_path(p->request)) &&
           head_len + p->request->body.len <= QUICK_BYTES;
}

/* Those of one verb in one world wait for the same things, if at all. */
static struct http_call *call_quickly(struct passing *p, struct http_pool *pool, struct span head)
{
    uint64_t kind = stable_hash(request_path(p->request)) | 1;

    p->sent = p->request->body.len;
    return http_pool_share(pool, head, buf_span(&p->request->body), kind, &passing_call_ops, p);
}

/* Its turn has come. */
static void on_lane(struct lane_place *place)
{
    struct passing *p = CONTAINER_OF(place, struct passing, lane);
    struct http_pool *pool = pools_get(&p->all->pools, buf_span(&p->seeker.url));
    size_t len = p->request->body.len;
    struct buf head = {0};

    if (pool == NULL) {
        passing_drop_call(p);
        seeker_failed(&p->seeker);
        return;
    }
    add_head(p, &head);
    p->sent = 0;
    if (is_quick(p, head.len))
        p->call = call_quickly(p, pool, buf_span(&head));
    else
        p->call = http_pool_call(pool, buf_span(&head), (int64_t)len, &passing_call_ops, p);
    buf_clear(&head);
    passing_send(p);
}

static void there(struct seeker *s)
{
    struct passing *p = passing_of(s);

    lane_enter(&p->all->lanes, &p->lane, buf_span(&s->url), on_lane);
}

static bool leave(struct seeker *s, bool late)
{
    struct passing *p = passing_of(s);

    if (p->call != NULL && (late || !p->repeatable || p->streams))
        return false;
    passing_drop_call(p);
    return true;
}

static void refuse_elsewhere(struct request *r, struct span owner, int64_t epoch)
{
    struct buf lines = {0};

    elsewhere_add_lines(&lines, owner, epoch);
    request_refuse(r, 421, buf_span(&lines), SPAN(ELSEWHERE_TEXT));
    buf_clear(&lines);
}

static void elsewhere(struct seeker *s, const struct lease_place *place)
{
    refuse_elsewhere(passing_of(s)->request, place->url, place->epoch);
}

static void nobody(struct seeker *s)
{
    struct request *r = passing_of(s)->request;

    if (s->hopped)
        refuse_elsewhere(r, (struct span){0}, 0);
    else
        request_refuse(r, 503, SPAN(NOBODY_LINES), SPAN(NOBODY_TEXT));
}

static const struct seeker_ops seeker_ops = {
    .here = here,
    .there = there,
    .leave = leave,
    .elsewhere = elsewhere,
    .nobody = nobody,
};

void passing_break(struct passing *p)
{
    p->all->stats->broken++;
    request_refuse(p->request, 502, (struct span){0},
                   SPAN("The process that decides for this world gave no answer; "
                        "the request may have been obeyed"));
}

/* ---- the client */

static void on_body(struct responder *r, struct span part)
{
    (void)r; /* it is whole */
    (void)part;
}

static void on_complete(struct responder *r)
{
    (void)r;
}

static void on_drained(struct responder *responder)
{
    struct request *r = CONTAINER_OF(responder, struct request, responder);

    if (r->passing->call != NULL)
        http_call_resume(r->passing->call);
}

static void on_gone(struct responder *responder)
{
    struct request *r = CONTAINER_OF(responder, struct request, responder);

    r->passing->before->gone(responder);
}

static const struct responder_ops responder_ops = {
    .body = on_body,
    .complete = on_complete,
    .drained = on_drained,
    .gone = on_gone,
};

/* ---- */

/* Of management only what sets or takes away; what nodes and clients send may come twice. */
static bool is_repeatable(const struct request *r)
{
    if (r->question != NULL || !api_is_inside(request_path(r)))
        return true;
    return !span_eq(r->x->head->method, SPAN("POST")) &&
           !span_eq(r->x->head->method, SPAN("PATCH"));
}

void passing_begin(struct passings *all, struct request *r, struct span world)
{
    struct passing *p = xcalloc(1, sizeof(*p));

    p->all = all;
    p->request = r;
    p->begun_us = clock_mono_us();
    p->repeatable = is_repeatable(r);
    p->before = r->responder.ops;
    r->responder.ops = &responder_ops;
    r->passing = p;
    list_push(&all->all, &p->node);
    all->stats->now++;
    if (r->sought_until_ms == 0)
        r->sought_until_ms = seekers_until(all->seekers, r->by_world);
    seeker_begin(&p->seeker, all->seekers, &seeker_ops, world, r->by_world, r->sought_until_ms,
                 r->handed_ms + SEEKER_PAUSE_MS);
}

void passing_drop_call(struct passing *p)
{
    if (p->call != NULL)
        http_call_cancel(p->call);
    p->call = NULL;
    lane_leave(&p->all->lanes, &p->lane);
    p->status = 0;
    buf_clear(&p->lines);
    buf_clear(&p->kept);
}

void passing_free(struct passing *p)
{
    struct request *r = p->request;

    seeker_end(&p->seeker);
    passing_drop_call(p);
    r->responder.ops = p->before;
    r->passing = NULL;
    list_remove(&p->node);
    p->all->stats->now--;
    free(p);
}

void passings_init(struct passings *all, struct loop *l, struct seekers *seekers,
                   const struct secrets *secrets, struct span id, struct passing_stats *stats)
{
    int64_t answer_ms = seekers->wait_ms + PASSING_CONNECT_MS;

    *all = (struct passings){
        .loop = l, .seekers = seekers, .secrets = secrets, .id = id, .stats = stats};
    all->pool_settings = (struct http_pool_settings){
        .connect_ms = PASSING_CONNECT_MS,
        .answer_ms = answer_ms > PASSING_ANSWER_MS ? answer_ms : PASSING_ANSWER_MS,
        .max_idle = LANE_MAX,
        .idle_ms = 4000,
        .high_water = 256 * 1024,
        .depth = QUICK_DEPTH,
    };
    list_init(&all->all);
    lanes_init(&all->lanes, l);
    pools_init(&all->pools, l, &all->pool_settings);
    all->pools.inside = true;
}

void passings_refuse_waiting(struct passings *all)
{
    LIST_EACH_SAFE (&all->all, it, next) {
        struct passing *p = CONTAINER_OF(it, struct passing, node);
        if (p->call == NULL)
            nobody(&p->seeker);
    }
}

void passings_clear(struct passings *all)
{
    LIST_EACH_SAFE (&all->all, it, next)
        passing_free(CONTAINER_OF(it, struct passing, node));
    lanes_clear(&all->lanes);
    pools_clear(&all->pools);
}
