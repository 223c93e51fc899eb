/* Holds arrivals (common/net/held.h) and does what core says about them. */
#include "shard/io/arrival.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/proto/hop.h"
#include "shard/core/checks.h"
#include "shard/io/join.h"

struct arriving {
    struct held held;
    struct list node;
    struct arrivals *all;
    struct arrival is; /* what core knows; its texts are in the next three */
    struct buf shard_id, session, tried;
    struct buf url; /* of `tried` */
    struct sender from;
    struct shown shown;

    struct asking asking;
    struct timer deadline;
    struct timer look; /* when it is placed again */
    bool asks_alone;   /* the answer to a shared question was of no use */
    int64_t begun_us;  /* 0: it was clear already where it goes */
};

static void go(struct arriving *w);

static struct wheel *wheel_of(const struct arriving *w)
{
    return loop_wheel(w->all->ticker->loop);
}

static void arriving_free(struct arriving *w)
{
    list_remove(&w->node);
    w->all->stats->held_now--;
    asking_stop(&w->asking);
    wheel_cancel(wheel_of(w), &w->deadline);
    wheel_cancel(wheel_of(w), &w->look);
    buf_clear(&w->shard_id);
    buf_clear(&w->session);
    buf_clear(&w->tried);
    buf_clear(&w->url);
    shown_clear(&w->shown);
    free(w);
}

/* The route, with the shard that lets it in. Read anew each time, because heads move. */
struct way {
    struct buf scratch, path;
    struct span dialled; /* the shard that the client named, if it is another; else empty */
    struct route route;
};

static void way_read(struct way *out, const struct arriving *w)
{
    *out = (struct way){.route.kind = ROUTE_NONE};
    struct route *r = &out->route;
    *r = route_of(w->all->routes, w->held.x->head->target, &out->scratch);
    if (span_eq(r->shard_id, w->is.shard_id))
        return;
    out->dialled = r->shard_id;
    route_turn(r, &out->path, w->is.shard_id);
}

static void way_clear(struct way *way)
{
    buf_clear(&way->scratch);
    buf_clear(&way->path);
}

/* ---- the last word: w is gone after each of these */

static void serve_here(struct arriving *w)
{
    struct arrivals *all = w->all;
    struct way way;
    way_read(&way, w);
    if (w->held.forward == NULL)
        (void)held_take_back(&w->held);
    const struct arrived arrived = {
        .x = w->held.x,
        .head = w->held.x->head,
        .route = &way.route,
        .from = &w->from,
        .shown = &w->shown,
        .is_socket = w->is.is_socket,
        .told = w->is.told,
        .body_complete = w->held.body_complete,
        .forward = w->held.forward,
    };
    all->ops->here(all->ctx, &arrived);
    way_clear(&way);
    arriving_free(w);
}

static void answer_refused(struct arrivals *all, struct http_exchange *x, enum node_reason why,
                           struct span shard_id)
{
    struct buf body = {0};
    struct span headers;
    int status = all->ops->refusal(all->ctx, why, shard_id, &headers, &body);
    http_respond(x, status, headers, buf_span(&body));
    buf_clear(&body);
}

static void answer_elsewhere(struct arrivals *all, struct http_exchange *x, const struct place *at)
{
    struct buf headers = {0};
    all->stats->elsewhere++;
    BUF_ADD_LIT(&headers, "Content-Type: application/json\r\n");
    if (at->url.len > 0) {
        BUF_ADD_LIT(&headers, "x-terrane-owner: ");
        hop_add_value(&headers, at->url);
        BUF_ADD_LIT(&headers, "\r\n");
    }
    BUF_ADD_LIT(&headers, "x-terrane-reason: ");
    buf_add_span(&headers, span_str(resolve_reason_names[at->reason]));
    BUF_ADD_LIT(&headers, "\r\n");
    http_respond(x, 421, buf_span(&headers), SPAN("{\"error\":\"Shard is elsewhere\"}"));
    buf_clear(&headers);
}

/* ---- the owner */

static void note_unreachable(struct arriving *w)
{
    struct ticker *t = w->all->ticker;
    w->all->stats->unreachable++;
    log_debug("owner.unreachable", "node=%.*s url=%.*s why=%s", SPAN_ARG(buf_span(&w->tried)),
              SPAN_ARG(buf_span(&w->url)), w->held.fault);
    checks_peer_missed(node_checks(t->node), buf_span(&w->tried), buf_span(&w->url), w->held.fault,
                       ticker_now(t));
    ticker_touch(t);
}

static void tried_in_vain(struct held *h, enum resolve_reason why)
{
    struct arriving *w = CONTAINER_OF(h, struct arriving, held);
    struct arrivals *all = w->all;
    if (why == RESOLVE_UNREACHABLE)
        note_unreachable(w);
    else
        all->stats->misdirected++;
    w->is.tried_why = why;
    w->is.tried = buf_span(&w->tried);
    node_misplaced(all->ticker->node, w->is.shard_id);
    go(w);
}

static void over(struct held *h)
{
    arriving_free(CONTAINER_OF(h, struct arriving, held));
}

static void add_head(struct held *h, struct buf *head)
{
    const struct arriving *w = CONTAINER_OF(h, struct arriving, held);
    struct way way;
    char client[ADDR_TEXT_MAX];
    way_read(&way, w);
    addr_format(&w->from.client, client);
    const struct hop_peer to = {
        .secrets = w->all->secrets,
        .entry = span_str(w->all->node->id),
        .client_ip = span_str(client),
        .host = sender_host(&w->from, w->held.x->head),
        .https = w->from.https,
        .dialled = way.dialled,
        .path = way.route.path,
        .wall_ms = clock_wall_ms(),
        .upgrade = w->is.is_socket,
        .trusted_peer = w->from.trusted,
    };
    hop_add_peer_request(head, w->held.x->head, &to);
    way_clear(&way);
}

static const struct held_ops held_ops = {
    .add_head = add_head,
    .failed = tried_in_vain,
    .over = over,
};

static void go_there(struct arriving *w, const struct place *at)
{
    buf_reset(&w->tried);
    buf_add_span(&w->tried, at->node);
    buf_reset(&w->url);
    buf_add_span(&w->url, at->url);
    held_try(&w->held, at->url);
}

/* ---- the world */

static void answered(struct asking *asking, int status, struct span body, bool shared)
{
    struct arriving *w = CONTAINER_OF(asking, struct arriving, asking);
    struct ticker *t = w->all->ticker;
    struct span id = {0};
    enum told told = node_resolved(t->node, &w->is, status, body, ticker_now(t), &id);
    ticker_touch(t);
    bool substitute = told == TOLD_OWNER && !span_eq(id, w->is.shard_id);
    if (substitute && shared) {
        w->asks_alone = true; /* the seat there is somebody else's */
        go(w);
        return;
    }
    w->is.asked++;
    w->is.told = told;
    if (substitute) {
        buf_reset(&w->shard_id);
        buf_add_span(&w->shard_id, id);
        w->is.shard_id = buf_span(&w->shard_id);
        w->is.tried = (struct span){0};
    }
    go(w);
}

static void ask(struct arriving *w, const struct place *at)
{
    const struct node_settings *node = w->all->node;
    const struct resolve r = {
        .asker = span_str(node->id),
        .asker_epoch = node_epoch(w->all->ticker->node),
        .shard_id = w->is.shard_id,
        .session = w->is.session,
        .reason = at->reason,
        .node = at->reason == RESOLVE_UNREACHABLE ? w->is.tried : (struct span){0},
    };
    bool alone = w->asks_alone || r.reason == RESOLVE_FULL || r.reason == RESOLVE_DRAINING;
    w->asking.trace = &w->held.x->trace;
    questions_ask(w->all->questions, &w->asking, at->world, &r, alone);
}

/* ---- what core says */

static void note_placed(struct arriving *w, enum place_kind kind)
{
    if (kind == PLACE_ASK || kind == PLACE_WAIT || w->begun_us == 0)
        return;
    histogram_add(&w->all->stats->held, clock_mono_us() - w->begun_us);
    w->begun_us = 0;
}

static void refuse(struct arriving *w, const struct place *at)
{
    struct arrivals *all = w->all;
    struct buf id = {0};
    buf_add_span(&id, w->is.shard_id);
    struct http_exchange *x = held_take_back(&w->held);
    arriving_free(w);
    if (at->kind == PLACE_ELSEWHERE)
        answer_elsewhere(all, x, at);
    else
        answer_refused(all, x, at->why, buf_span(&id));
    buf_clear(&id);
}

static void follow(struct arriving *w, const struct place *at)
{
    note_placed(w, at->kind);
    switch (at->kind) {
    case PLACE_HERE:
        serve_here(w);
        break;
    case PLACE_THERE:
        go_there(w, at);
        break;
    case PLACE_ASK:
        ask(w, at);
        break;
    case PLACE_WAIT:
        wheel_set(wheel_of(w), &w->look, loop_now(w->all->ticker->loop) + PLACE_LOOK_MS);
        break;
    case PLACE_ELSEWHERE:
    case PLACE_REFUSED:
        refuse(w, at);
        break;
    }
}

static void go(struct arriving *w)
{
    struct place at;
    struct ticker *t = w->all->ticker;
    node_place(t->node, &w->is, ticker_now(t), &at);
    ticker_touch(t);
    follow(w, &at);
}

static void look_fired(struct timer *timer, int64_t now)
{
    (void)now;
    go(CONTAINER_OF(timer, struct arriving, look));
}

/* The owner that is being tried is given its own time. */
static void deadline_fired(struct timer *timer, int64_t now)
{
    struct arriving *w = CONTAINER_OF(timer, struct arriving, deadline);
    (void)now;
    if (w->asking.question == NULL)
        return;
    asking_stop(&w->asking);
    go(w);
}

static struct arriving *hold(struct arrivals *all, struct http_exchange *x,
                             const struct arrival *is, const struct sender *from,
                             struct shown *shown)
{
    struct arriving *w = xcalloc(1, sizeof *w);
    *w = (struct arriving){
        .all = all,
        .is = *is,
        .from = *from,
        .asking.answered = answered,
        .deadline.fire = deadline_fired,
        .look.fire = look_fired,
        .begun_us = clock_mono_us(),
    };
    buf_add_span(&w->shard_id, is->shard_id);
    buf_add_span(&w->session, is->session);
    shown_move(&w->shown, shown);
    w->is.shard_id = buf_span(&w->shard_id);
    w->is.session = buf_span(&w->session);
    list_push(&all->all, &w->node);
    all->stats->held_now++;
    held_begin(&w->held, &all->ways, x, is->is_socket);
    wheel_set(wheel_of(w), &w->deadline, is->since_ms + PLACE_HOLD_MS);
    return w;
}

/* ---- */

void arrivals_init(struct arrivals *all)
{
    list_init(&all->all);
    held_ways_init(&all->ways, &held_ops, FORWARD_NODE, SPAN("Content-Type: application/json\r\n"));
    all->ways.tunnels->connect_ms = ARRIVAL_CONNECT_MS;
    all->ways.tunnels->answer_ms = ARRIVAL_ANSWER_MS;
}

void arrivals_take(struct arrivals *all, struct http_exchange *x, const struct route *r,
                   bool is_socket, const struct sender *from, struct shown *shown)
{
    struct place at;
    struct ticker *t = all->ticker;
    buf_reset(&all->session);
    if (is_socket)
        join_read_session(&all->session, r->query);
    if (is_socket && all->session.len == 0)
        buf_add_span(&all->session, buf_span(&shown->session));
    const struct arrival is = {
        .shard_id = r->shard_id,
        .session = buf_span(&all->session),
        .is_socket = is_socket,
        .hopped = from->hopped,
        .greets = shown->greets,
        .since_ms = ticker_now(t),
    };
    node_place(t->node, &is, is.since_ms, &at);
    ticker_touch(t);
    switch (at.kind) {
    case PLACE_HERE:
        all->ops->here(all->ctx, &(struct arrived){.x = x,
                                                   .head = x->head,
                                                   .route = r,
                                                   .from = from,
                                                   .shown = shown,
                                                   .is_socket = is_socket});
        break;
    case PLACE_THERE:
    case PLACE_ASK:
    case PLACE_WAIT:
        follow(hold(all, x, &is, from, shown), &at);
        break;
    case PLACE_ELSEWHERE:
        answer_elsewhere(all, x, &at);
        break;
    case PLACE_REFUSED:
        answer_refused(all, x, at.why, r->shard_id);
        break;
    }
}

void arrivals_clear(struct arrivals *all)
{
    LIST_EACH_SAFE (&all->all, it, next) {
        struct arriving *w = CONTAINER_OF(it, struct arriving, node);
        if (held_waits(&w->held))
            arriving_free(w);
    }
    buf_clear(&all->session);
}
