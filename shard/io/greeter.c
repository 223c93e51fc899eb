/* Waits for first frames and judges them. Whoever is in belongs to edge_client and core. */
#include "shard/io/greeter.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/proto/ws_handshake.h"
#include "shard/io/gatekeeper.h"
#include "shard/io/join.h"

enum { VALUES_MAX = 64 }; /* of a first frame, as JSON */

/* Of one whose path is of mode pass there is a `kept`, which its server gets once it is known; of
 * others a `join`, which its room hears. */
struct greeting {
    struct edge_greeting hears;
    struct pass_late late;
    struct list node;
    struct greeter *all;
    struct edge_client *client;
    struct timer deadline;
    struct buf shard_id;
    struct join join;
    struct kept_request *kept; /* or NULL */
    struct shown came;         /* what it has shown with its request: a ticket, or nothing */
    enum told told;            /* when it was placed */
    bool hopped;
    bool awaited; /* what it says first; core counts it so long */
    bool joins;   /* a server is asked for it */
};

static void stop_waiting(struct greeting *g)
{
    struct ticker *t = g->all->ticker;
    if (!g->awaited)
        return;
    g->awaited = false;
    g->all->stats->greetings_now--;
    wheel_cancel(loop_wheel(t->loop), &g->deadline);
    node_visitor_closed(t->node);
    ticker_touch(t);
}

/* The client is told, or gone, or in. */
static void greeting_end(struct greeting *g)
{
    stop_waiting(g);
    list_remove(&g->node);
    if (g->joins)
        passes_forget(&g->late);
    if (g->kept != NULL)
        kept_request_clear(g->kept);
    free(g->kept);
    buf_clear(&g->shard_id);
    join_clear(&g->join);
    shown_clear(&g->came);
    free(g);
}

static void send_away(struct greeting *g, uint16_t code, struct span reason)
{
    log_debug("client.unknown", "code=%u reason=%.*s", code, SPAN_ARG(reason));
    edge_client_dismiss(g->client, code, reason);
    greeting_end(g);
}

/* Appends T of `{"event":"authenticate","data":{"token":T}}`. False: it is something else. */
static bool read_greeting(struct span text, struct buf *token)
{
    struct span event, shown;
    json_t *frame = json_decode_max(text, VALUES_MAX);
    bool good = json_is_object(frame) && json_get_span(frame, "event", &event) &&
                span_eq(event, SPAN("authenticate")) &&
                json_is_object(json_object_get(frame, "data")) &&
                json_get_span(json_object_get(frame, "data"), "token", &shown);
    if (good)
        buf_add_span(token, shown);
    json_decref(frame);
    return good;
}

/* What core refuses only now. */
static void refuse(struct greeting *g, enum node_reason why)
{
    if (why == NODE_REFUSED_BANNED)
        send_away(g, WS_CODE_POLICY, SPAN("banned"));
    else if (why == NODE_REFUSED_UNKNOWN)
        send_away(g, WS_CODE_UNKNOWN_SHARD, SPAN("unknown shard"));
    else if (why == NODE_REFUSED_BAD_ID)
        send_away(g, WS_CODE_POLICY, SPAN("bad id"));
    else
        send_away(g, WS_CODE_TRY_LATER,
                  why == NODE_REFUSED_NO_SEAT ? SPAN("no seat is free") : SPAN("try again"));
}

/* It was placed here when it came, but nothing was started for it then. */
static bool has_place(struct greeting *g, enum node_reason *why)
{
    struct place at;
    struct ticker *t = g->all->ticker;
    const struct arrival is = {
        .shard_id = buf_span(&g->shard_id),
        .session = buf_span(&g->join.session_id),
        .is_socket = true,
        .hopped = g->hopped,
        .since_ms = ticker_now(t),
        .asked = PLACE_ASKS,
        .told = g->told,
    };
    node_place(t->node, &is, is.since_ms, &at);
    *why = at.kind == PLACE_REFUSED ? at.why : NODE_REFUSED_NO_OWNER;
    return at.kind == PLACE_HERE;
}

static void let_in(struct greeting *g)
{
    enum node_reason why;
    struct handle handle;
    struct greeter *all = g->all;
    struct ticker *t = all->ticker;
    join_show(&g->join, &all->shown);
    enum err e = node_client_open(t->node, buf_span(&g->shard_id), buf_span(&g->join.session_id),
                                  buf_span(&g->join.request_info), ticker_now(t), &handle, &why);
    ticker_touch(t);
    if (e != ERR_OK) {
        refuse(g, why);
        return;
    }
    gate_entered(all->gate, all->counts, clock_wall_ms(), ticker_now(t));
    edge_client_enter(g->client, handle);
    greeting_end(g);
}

/* ---- mode pass */

static struct conn *late_client(struct pass_late *late)
{
    return edge_client_leave(CONTAINER_OF(late, struct greeting, late)->client);
}

static void late_joined(struct pass_late *late)
{
    struct greeting *g = CONTAINER_OF(late, struct greeting, late);
    g->joins = false;
    edge_client_bury(g->client);
    greeting_end(g);
}

static void late_left(struct pass_late *late, uint16_t code, struct span reason)
{
    struct greeting *g = CONTAINER_OF(late, struct greeting, late);
    g->joins = false;
    send_away(g, code, reason);
}

static const struct pass_late_ops late_ops = {
    .client = late_client, .joined = late_joined, .left = late_left};

static void let_pass(struct greeting *g)
{
    enum node_reason why;
    struct kept_request *k = g->kept;
    struct greeter *all = g->all;
    const struct arrived a = {
        .x = &k->x,
        .head = &k->head,
        .route = &k->route,
        .from = &k->from,
        .shown = &all->shown,
        .is_socket = true,
        .told = g->told,
        .late = &g->late,
    };
    g->late = (struct pass_late){
        .ops = &late_ops,
        .key = span_of(k->key, sizeof k->key),
        .protocol = k->protocol,
        .session = buf_span(&g->join.session_id),
    };
    g->joins = true;
    edge_client_hold(g->client);
    if (passes_take(all->passes, &a, &why) == ERR_OK) { /* and maybe it has left */
        gate_entered(all->gate, all->counts, clock_wall_ms(), ticker_now(all->ticker));
        return;
    }
    g->joins = false;
    refuse(g, why);
}

/* ---- */

/* What counts at the gate is the ticket that came with the request, or else the token. */
static bool enters(struct greeting *g)
{
    struct greeter *all = g->all;
    all->counts = &all->shown;
    if (g->came.has_ticket) {
        shown_move(&all->came, &g->came);
        all->counts = &all->came;
    }
    return g->shard_id.len == 0 || gate_enter(all->gate, buf_span(&g->shard_id), all->counts, true,
                                              ticker_now(all->ticker)) == GATE_OPEN;
}

static void known(struct greeting *g)
{
    enum node_reason why;
    stop_waiting(g); /* it must not take its own place */
    if (g->shard_id.len > 0 && !has_place(g, &why))
        refuse(g, why);
    else if (!enters(g))
        send_away(g, WS_CODE_AUTH_FAILED, SPAN("authentication failed"));
    else if (g->kept != NULL)
        let_pass(g);
    else
        let_in(g);
}

static void on_heard(struct edge_greeting *hears, struct span text)
{
    struct greeting *g = CONTAINER_OF(hears, struct greeting, hears);
    struct greeter *all = g->all;
    const struct route in = {.kind = ROUTE_SHARD, .shard_id = buf_span(&g->shard_id)};
    const struct route *r = g->kept != NULL ? &g->kept->route : &in;
    buf_reset(&all->token);
    if (read_greeting(text, &all->token) &&
        gate_judge_token(all->gate, buf_span(&all->token), r, clock_wall_ms(), &all->shown) ==
            GATE_OPEN)
        known(g);
    else
        send_away(g, WS_CODE_AUTH_FAILED, SPAN("authentication failed"));
}

static void on_gone(struct edge_greeting *hears)
{
    greeting_end(CONTAINER_OF(hears, struct greeting, hears));
}

static const struct edge_greeting_ops ops = {.heard = on_heard, .gone = on_gone};

static void on_deadline(struct timer *t, int64_t now)
{
    (void)now;
    send_away(CONTAINER_OF(t, struct greeting, deadline), WS_CODE_AUTH_TIMEOUT,
              SPAN("authentication timeout"));
}

void greeter_init(struct greeter *g)
{
    list_init(&g->all);
}

/* What will be needed of its request. */
static void keep(struct greeting *g, const struct arrived *a)
{
    buf_add_span(&g->shard_id, a->route->shard_id);
    if (a->route->rule->mode == ROUTE_PASS) {
        g->kept = xcalloc(1, sizeof *g->kept);
        kept_request_take(g->kept, a, g->all->routes, gatekeeper_protocol(a));
        join_read_session(&g->join.session_id, a->route->query);
    } else {
        join_read(&g->join, a->head, a->route, a->from);
    }
    join_show(&g->join, a->shown); /* its session */
}

enum err greeter_take(struct greeter *all, const struct arrived *a, enum node_reason *why)
{
    struct span key;
    struct ticker *t = all->ticker;
    const struct route_rule *rule = a->route->rule;
    int8_t deflate = rule->deflate;
    if (rule->mode == ROUTE_PASS) /* its server may want none of it */
        deflate = 0;
    if (all->stats->greetings_now >= all->settings->max)
        return ERR_LIMIT;
    enum err e = node_visitor_open(t->node, why);
    if (e != ERR_OK)
        return e;
    struct greeting *g = xcalloc(1, sizeof *g);
    *g = (struct greeting){.hears.ops = &ops,
                           .all = all,
                           .deadline.fire = on_deadline,
                           .told = a->told,
                           .hopped = a->from->hopped,
                           .awaited = true};
    keep(g, a);
    list_push(&all->all, &g->node);
    all->stats->greetings_now++;
    ticker_touch(t);
    wheel_set(loop_wheel(t->loop), &g->deadline, ticker_now(t) + all->settings->timeout_ms);
    const char *problem = ws_handshake_check(a->x->head, &key);
    assert(problem == NULL); /* or it had not come so far */
    (void)problem;
    g->client = edge_client_greet(all->clients, &g->hears, a->x, key, gatekeeper_protocol(a),
                                  deflate, &all->settings->ws);
    shown_move(&g->came, a->shown);
    return ERR_OK;
}

void greeter_dismiss(struct greeter *g)
{
    LIST_EACH_SAFE (&g->all, it, next)
        send_away(CONTAINER_OF(it, struct greeting, node), WS_CODE_RESTART,
                  SPAN("restart;retry=1000-5000"));
}

void greeter_clear(struct greeter *g)
{
    assert(list_empty(&g->all));
    buf_clear(&g->token);
    shown_clear(&g->shown);
    shown_clear(&g->came);
}
