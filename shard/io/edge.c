/* Routes requests. Each door's work is elsewhere; here are the refusals and the small answers. */
#include "shard/io/edge.h"

#include <assert.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/net/responder.h"
#include "common/proto/allowed_origins.h"
#include "common/proto/hop_sign.h"
#include "common/proto/ws_handshake.h"

#define JSON_TYPE "Content-Type: application/json\r\n"

static void refuse_json(struct edge *e, struct http_exchange *x, enum refusal why, int status,
                        const char *text)
{
    struct buf body = {0};
    io_stats_refuse(e->stats, why);
    buf_addf(&body, "{\"error\":\"%s\"}", text);
    http_respond(x, status, SPAN(JSON_TYPE), buf_span(&body));
    buf_clear(&body);
}

static void refuse_signature(struct edge *e, struct http_exchange *x, enum err why)
{
    refuse_json(e, x, REFUSED_SIGNATURE, 403, why == ERR_EXPIRED ? HOP_SIGN_LATE : HOP_SIGN_BAD);
}

/* What core refuses; it counts these itself. */
static const struct {
    int status;
    const char *body; /* NULL: names the shard */
} answers[NODE_REASON_COUNT] = {
    [NODE_REFUSED_BAD_ID] = {400, "{\"error\":\"Shard id or session id is empty or too long\"}"},
    [NODE_REFUSED_BANNED] = {403, "{\"error\":\"Banned\"}"},
    [NODE_REFUSED_UNKNOWN] = {404, NULL},
    [NODE_REFUSED_FULL] = {503, "{\"error\":\"This node takes no more clients or shards\"}"},
    [NODE_REFUSED_NO_SEAT] = {503, "{\"error\":\"No seat is free in this shard\"}"},
    [NODE_REFUSED_MOVING] = {503, "{\"error\":\"The room is on its way to another server\"}"},
    [NODE_REFUSED_NO_OWNER] = {503, "{\"error\":\"The owner of this shard cannot be reached\"}"},
};

static void add_not_found(struct buf *body, struct span shard_id)
{
    struct buf text = {0};
    buf_addf(&text, "Shard %.*s not found", SPAN_ARG(shard_id));
    BUF_ADD_LIT(body, "{\"error\":");
    json_add_string(body, buf_span(&text));
    buf_add_char(body, '}');
    buf_clear(&text);
}

static int refusal(void *ctx, enum node_reason why, struct span shard_id, struct span *headers,
                   struct buf *body)
{
    (void)ctx;
    assert(answers[why].status != 0);
    log_debug("edge.refused", "reason=%s", node_reason_text(why));
    *headers = answers[why].status == 503 ? SPAN(JSON_TYPE "Retry-After: 1\r\n") : SPAN(JSON_TYPE);
    if (answers[why].body == NULL)
        add_not_found(body, shard_id);
    else
        buf_add_span(body, span_str(answers[why].body));
    return answers[why].status;
}

static void refuse_by_core(struct http_exchange *x, enum node_reason why, struct span shard_id)
{
    struct buf body = {0};
    struct span headers;
    int status = refusal(NULL, why, shard_id, &headers, &body);
    http_respond(x, status, headers, buf_span(&body));
    buf_clear(&body);
}

/* ---- upgrades */

/* What looks like a WebSocket handshake. Other upgrades (h2c, which some clients offer with every
 * request) may be ignored: RFC 9110 section 7.8. */
static bool wants_websocket(const struct http_head *h)
{
    return h->upgrade && (http_head_has_token(h, SPAN("upgrade"), SPAN("websocket")) ||
                          http_head_count(h, SPAN("sec-websocket-key")) > 0);
}

static void greet(struct edge *e, const struct arrived *a)
{
    enum node_reason why;
    enum err err = greeter_take(e->greeter, a, &why);
    if (err == ERR_LIMIT) {
        io_stats_refuse(e->stats, REFUSED_GREETINGS);
        http_respond(a->x, 503, SPAN(JSON_TYPE "Retry-After: 1\r\n"),
                     SPAN("{\"error\":\"Too many clients have not said who they are\"}"));
    } else if (err != ERR_OK) {
        refuse_by_core(a->x, why, a->route->shard_id);
    }
}

static void join_shard(struct edge *e, const struct arrived *a)
{
    struct handle handle;
    enum node_reason why;
    struct span key, shard_id = a->route->shard_id;
    struct ticker *t = e->ticker;
    join_read(&e->join, a->head, a->route, a->from);
    join_trace(&e->join, a->head, &a->x->trace);
    join_show(&e->join, a->shown);
    enum err err = node_client_open(t->node, shard_id, buf_span(&e->join.session_id),
                                    buf_span(&e->join.request_info), ticker_now(t), &handle, &why);
    ticker_touch(t);
    const char *problem = ws_handshake_check(a->x->head, &key);
    assert(problem == NULL); /* or it had not come so far */
    if (err != ERR_OK) {
        refuse_by_core(a->x, why, shard_id);
        return;
    }
    gatekeeper_entered(&e->gatekeeper, a, ticker_now(t));
    edge_client_open(e->clients, handle, a->x, key, gatekeeper_protocol(a),
                     a->route->rule->deflate);
}

/* Who names no origin is no browser, and no page can make one do this. */
static bool is_allowed_page(const struct edge *e, const struct route *r, const struct http_head *h)
{
    bool has_own = r->rule != NULL && r->rule->origins != NULL;
    struct span list = has_own ? span_str(r->rule->origins) : *e->allowed_origins;
    size_t origins = http_head_count(h, SPAN("origin"));
    return list.len == 0 || origins == 0 ||
           (origins == 1 && allowed_origins_has(list, http_head_get(h, SPAN("origin"))));
}

/* Whoever comes back to a session of this node. */
static bool is_known(struct edge *e, const struct route *r)
{
    struct buf *session = &e->join.session_id;
    if (r->kind != ROUTE_SHARD)
        return false;
    buf_reset(session);
    join_read_session(session, r->query);
    return node_knows(e->ticker->node, r->shard_id, buf_span(session));
}

static void take_ruled(struct edge *e, struct http_exchange *x, const struct route *r,
                       const struct sender *from, bool is_socket);

/* Who goes through to a world or another node is no client of core's, and takes two descriptors. A
 * node that is full still passes clients on; what a world has is its own. */
static bool is_crowded(const struct edge *e, const struct route *r)
{
    const struct node_stats *core = node_stats(e->ticker->node);
    uint64_t taken = 2 * (e->stats->tunnels.now + e->stats->peer_tunnels.now);
    if (r->kind == ROUTE_WORLD)
        taken += core->clients + core->visitors;
    return taken >= e->arrivals->node->max_connections;
}

/* What goes to a world is checked here too: a tunnel carries whatever comes behind the handshake,
 * so it must be one for the world as well. */
static void take_upgrade(struct edge *e, struct http_exchange *x, const struct route *r,
                         const struct sender *from, bool admitted)
{
    struct span key;
    const char *problem = ws_handshake_check(x->head, &key);
    if (problem != NULL) {
        io_stats_refuse(e->stats, REFUSED_HANDSHAKE);
        http_respond_bad_upgrade(x, problem);
        return;
    }
    if (!from->hopped && !is_allowed_page(e, r, x->head)) {
        refuse_json(e, x, REFUSED_ORIGIN, 403, "Origin not allowed");
        return;
    }
    if (!from->hopped && is_crowded(e, r)) {
        io_stats_refuse(e->stats, REFUSED_BUSY);
        http_respond(x, 503, SPAN(JSON_TYPE "Retry-After: 1\r\n"),
                     span_str(answers[NODE_REFUSED_FULL].body));
        return;
    }
    if (r->kind != ROUTE_WORLD && !gatekeeper_lets(&e->gatekeeper, x, r, true, from))
        return;
    if (!admitted && !doorman_admits(e->doorman, x, from, is_known(e, r)))
        return;
    if (r->kind == ROUTE_WORLD)
        world_proxy_upgrade(e->worlds, x, from);
    else
        take_ruled(e, x, r, from, true);
}

/* ---- requests */

static void proxy_to_room(struct edge *e, const struct arrived *a)
{
    enum err err = room_proxy_take(e->rooms, a);
    if (err == ERR_OK)
        return;
    struct http_exchange *x = a->forward == NULL ? a->x : forward_give_back(a->forward);
    if (err == ERR_MISSING)
        refuse_json(e, x, REFUSED_NO_ROOM, 503, "Shard not connected to main server");
    else
        refuse_by_core(x, err == ERR_FULL ? NODE_REFUSED_FULL : NODE_REFUSED_BAD_ID,
                       a->route->shard_id);
}

/* Past the rooms. */
static void pass(struct edge *e, const struct arrived *a)
{
    enum node_reason why;
    if (passes_take(e->passes, a, &why) == ERR_OK) {
        if (a->is_socket)
            gatekeeper_entered(&e->gatekeeper, a, ticker_now(e->ticker));
        return;
    }
    struct http_exchange *x = a->forward == NULL ? a->x : forward_give_back(a->forward);
    refuse_by_core(x, why, a->route->shard_id);
}

static void serve(struct edge *e, const struct arrived *a)
{
    if (!gatekeeper_enters(&e->gatekeeper, a, ticker_now(e->ticker)))
        return;
    if (a->is_socket && !a->from->hopped)
        witness_client(&e->witness, a->from, a->route->query);
    struct arrived shorn = gatekeeper_shear(&e->gatekeeper, a);
    if (a->is_socket && a->shown->greets)
        greet(e, &shorn);
    else if (a->route->rule->mode == ROUTE_PASS)
        pass(e, &shorn);
    else if (a->is_socket)
        join_shard(e, &shorn);
    else
        proxy_to_room(e, &shorn);
}

static void serve_here(void *ctx, const struct arrived *a)
{
    struct log_about *before = log_enter(&a->x->about);
    serve(ctx, a);
    (void)log_enter(before);
}

const struct arrival_ops edge_arrival_ops = {.here = serve_here, .refusal = refusal};

/* To where it belongs; without a shard that is here. */
static void take_ruled(struct edge *e, struct http_exchange *x, const struct route *r,
                       const struct sender *from, bool is_socket)
{
    struct shown *shown = &e->gatekeeper.shown;
    if (r->kind == ROUTE_SHARD)
        arrivals_take(e->arrivals, x, r, is_socket, from, shown);
    else
        serve_here(e, &(struct arrived){.x = x,
                                        .head = x->head,
                                        .route = r,
                                        .from = from,
                                        .shown = shown,
                                        .is_socket = is_socket});
}

/* `admitted`: it has waited at the door, and what is counted there has been. */
static void take_party(struct edge *e, struct http_exchange *x, const struct route *r,
                       bool admitted)
{
    struct sender from;
    bool is_upgrade = wants_websocket(x->head);
    if (span_ieq(x->head->method, SPAN("TRACE"))) {
        /* An answer to TRACE would show the client what a shard adds, its secret above all. */
        refuse_json(e, x, REFUSED_METHOD, 405, "Method not allowed");
        return;
    }
    enum err err =
        sender_read(&from, x->head, &x->peer, e->trusted, e->secrets, x->tls, clock_wall_ms());
    if (err != ERR_OK) {
        refuse_signature(e, x, err);
        return;
    }
    if (!from.hopped && !from.trusted)
        witness_request(&e->witness, x);
    if (!admitted && !doorman_lets_connect(e->doorman, x, &from, is_upgrade)) {
        return; /* answered */
    } else if (is_upgrade) {
        take_upgrade(e, x, r, &from, admitted);
    } else if (r->kind == ROUTE_WORLD) {
        world_proxy_request(e->worlds, x, &from);
    } else if (gatekeeper_lets(&e->gatekeeper, x, r, false, &from)) {
        take_ruled(e, x, r, &from, false);
    }
}

static void answer_none(struct edge *e, struct http_exchange *x)
{
    io_stats_refuse(e->stats, REFUSED_NOT_FOUND);
    http_respond(x, 404, SPAN("Content-Type: text/plain;charset=UTF-8\r\n"), SPAN("Not Found"));
}

/* Who decides for a world now has not heard of this node yet. For strangers there is no such door.
 */
static void take_knock(struct edge *e, struct http_exchange *x, const struct route *r)
{
    struct hop_signed from;
    struct ticker *t = e->ticker;
    enum err err = hop_sign_check(x->head, e->secrets, clock_wall_ms(), &from);
    bool is_post = span_eq(x->head->method, SPAN("POST"));
    if (err != ERR_OK && err != ERR_MISSING) {
        refuse_signature(e, x, err);
    } else if (err != ERR_OK || !is_post || !node_knocked(t->node, r->world)) {
        answer_none(e, x);
    } else {
        ticker_touch(t);
        http_respond(x, 204, SPAN(""), SPAN(""));
    }
}

static void answer_ready(const struct edge *e, struct http_exchange *x)
{
    if (node_is_draining(e->ticker->node))
        http_respond(x, 503, SPAN(JSON_TYPE), SPAN("{\"status\":\"draining\"}"));
    else
        http_respond(x, 200, SPAN(JSON_TYPE), SPAN("{\"status\":\"ready\"}"));
}

static void answer_metrics(const struct edge *e, struct http_exchange *x)
{
    struct buf body = {0};
    bool openmetrics = metrics_are_wanted_open(http_head_get(x->head, SPAN("accept")));
    metrics_add(&body, &e->metrics, openmetrics);
    http_respond(x, 200,
                 openmetrics ? SPAN("Content-Type: " METRICS_OPENMETRICS_TYPE "\r\n")
                             : SPAN("Content-Type: " METRICS_TEXT_TYPE "\r\n"),
                 buf_span(&body));
    buf_clear(&body);
}

/* Who signs asks, too, whether we believe it. */
static void answer_version(struct edge *e, struct http_exchange *x)
{
    struct hop_signed from;
    enum err err = hop_sign_check(x->head, e->secrets, clock_wall_ms(), &from);
    if (err != ERR_OK && err != ERR_MISSING)
        refuse_signature(e, x, err);
    else
        http_respond(x, 200, SPAN(JSON_TYPE), e->version);
}

static void answer_probe(struct edge *e, struct http_exchange *x, enum route_kind kind)
{
    if (!span_eq(x->head->method, SPAN("GET")) && !span_eq(x->head->method, SPAN("HEAD"))) {
        io_stats_refuse(e->stats, REFUSED_METHOD);
        http_respond(x, 405, SPAN(JSON_TYPE "Allow: GET, HEAD\r\n"),
                     SPAN("{\"error\":\"Method not allowed\"}"));
        return;
    }
    if (kind == ROUTE_LIVEZ)
        http_respond(x, 200, SPAN(JSON_TYPE), SPAN("{\"status\":\"live\"}"));
    else if (kind == ROUTE_READYZ)
        answer_ready(e, x);
    else if (kind == ROUTE_METRICS)
        answer_metrics(e, x);
    else
        answer_version(e, x);
}

/* ---- the HTTP server's side */

static void begin(struct edge *e, struct http_exchange *x, bool admitted)
{
    buf_reset(&e->scratch);
    struct route r = route_of(e->routes, x->head->target, &e->scratch);
    switch (r.kind) {
    case ROUTE_NONE:
        answer_none(e, x);
        break;
    case ROUTE_BAD:
        refuse_json(e, x, REFUSED_PATH, 400, "Bad path");
        break;
    case ROUTE_SHARD:
    case ROUTE_SERVER:
    case ROUTE_WORLD:
        take_party(e, x, &r, admitted);
        break;
    case ROUTE_BEAT:
        take_knock(e, x, &r);
        break;
    case ROUTE_LIVEZ:
    case ROUTE_READYZ:
    case ROUTE_METRICS:
    case ROUTE_VERSION:
        answer_probe(e, x, r.kind);
        break;
    }
}

static void on_begin(void *ctx, struct http_exchange *x)
{
    if (x->head->upgrade)
        x->begun_us = clock_mono_us();
    begin(ctx, x, false);
}

static void on_proxied(void *ctx, const struct addr *peer)
{
    witness_proxied(&((struct edge *)ctx)->witness, peer);
}

static void on_refused(void *ctx, int status)
{
    struct edge *e = ctx;
    enum refusal why = status == 408   ? REFUSED_TIMEOUT
                       : status == 431 ? REFUSED_BIG_HEAD
                       : status == 503 ? REFUSED_BUSY
                                       : REFUSED_FRAMING;
    io_stats_refuse(e->stats, why);
}

const struct http_app edge_app = {
    .begin = on_begin,
    .body = responder_body,
    .complete = responder_complete,
    .drained = responder_drained,
    .gone = responder_gone,
    .refused = on_refused,
    .proxied = on_proxied,
};

void edge_admitted(void *ctx, struct http_exchange *x)
{
    begin(ctx, x, true);
}

void edge_clear(struct edge *e)
{
    buf_clear(&e->scratch);
    join_clear(&e->join);
    witness_clear(&e->witness);
    gatekeeper_clear(&e->gatekeeper);
}
