/* Asks core who owns a shard, and hands the exchange on to a tunnel or a forward. Core decides;
 * here is kept what waits. */
#include "world/io/shard_proxy.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/proto/hop.h"
#include "common/proto/resolve.h"
#include "common/proto/shard_id.h"
#include "common/proto/ws_handshake.h"
#include "world/io/question.h"
#include "world/io/server.h"

#define DEFAULT_WORLD "world-default"

struct passing {
    struct responder responder;
    struct list node;
    struct shard_proxy *proxy;
    struct server_question question;
    struct buf shard_id, session, tried;
    struct addr client;
    bool trusted, is_socket, has_body, body_complete;
    unsigned asked;

    struct http_exchange *x; /* NULL: a tunnel has it */
    struct forward *forward; /* has it, too, if any */
};

static const struct http_pool_settings pool_settings = {
    .connect_ms = SHARD_PROXY_CONNECT_MS,
    .answer_ms = 60000,
    .max_idle = 16,
    .idle_ms = 4000,
    .high_water = 256 * 1024,
};

static void passing_free(struct passing *w)
{
    list_remove(&w->node);
    server_question_drop(w->proxy->server, &w->question);
    buf_clear(&w->shard_id);
    buf_clear(&w->session);
    buf_clear(&w->tried);
    free(w);
}

static struct http_exchange *take_back(struct passing *w)
{
    if (w->forward != NULL)
        return forward_give_back(w->forward);
    w->x->user = NULL;
    if (w->has_body)
        http_exchange_resume(w->x);
    return w->x;
}

static void refuse(struct passing *w, int status, struct span error)
{
    struct http_exchange *x = take_back(w);
    passing_free(w);
    http_respond(x, status,
                 status == 503 ? SPAN(API_HEADERS_TEXT "Retry-After: 1\r\n") : API_HEADERS, error);
}

static void refuse_not_found(struct passing *w)
{
    struct http_exchange *x = take_back(w);
    passing_free(w);
    http_respond(x, 404, SPAN("Content-Type: text/plain;charset=UTF-8\r\n" API_CORS_TEXT),
                 SPAN("Not Found"));
}

/* ---- core */

static void ask(struct passing *w, enum resolve_reason reason)
{
    struct buf path = {0}, body = {0};
    struct span world = shard_id_parse(buf_span(&w->shard_id)).world;
    const struct resolve r = {
        .shard_id = buf_span(&w->shard_id),
        .session = buf_span(&w->session),
        .reason = reason,
        .node = reason == RESOLVE_UNREACHABLE ? buf_span(&w->tried) : (struct span){0},
    };
    if (w->asked++ >= SHARD_PROXY_ASKS) {
        refuse(w, 503, SPAN("{\"error\":\"The owner of this shard cannot be reached\"}"));
        return;
    }
    BUF_ADD_LIT(&path, "/parties/world/");
    url_encode(&path, world.ptr == NULL ? SPAN(DEFAULT_WORLD) : world);
    BUF_ADD_LIT(&path, "/resolve");
    resolve_add(&body, &r);
    server_ask(w->proxy->server, &w->question, buf_span(&path), buf_span(&body));
    buf_clear(&path);
    buf_clear(&body);
}

/* ---- the owner */

static void tried_in_vain(struct passing *w, bool misdirected, struct span said)
{
    enum resolve_reason reason = RESOLVE_UNREACHABLE;
    if (misdirected) {
        w->proxy->stats.misdirected++;
        reason = span_eq(said, SPAN("full"))       ? RESOLVE_FULL
                 : span_eq(said, SPAN("draining")) ? RESOLVE_DRAINING
                                                   : RESOLVE_UNKNOWN;
    } else {
        w->proxy->stats.unreachable++;
    }
    ask(w, reason);
}

static void over(void *ctx)
{
    passing_free(ctx);
}

static void forward_failed(void *ctx, struct forward *f, enum forward_failure why)
{
    tried_in_vain(ctx, why == FORWARD_MISDIRECTED, forward_reason(f));
}

static const struct forward_kind to_node = {
    .name = "node",
    .failed = forward_failed,
    .ended = over,
    .failed_status = 502,
    .timeout_status = 504,
    .failed_headers = SPAN_INIT(API_HEADERS_TEXT),
    .failed_body = "{\"error\":\"The owner of the shard does not answer\"}",
};

static void tunnel_failed(void *ctx, struct tunnel *t, enum tunnel_failure why)
{
    struct passing *w = ctx;
    struct buf said = {0};
    buf_add_span(&said, tunnel_reason(t));
    w->x = tunnel_give_back(t);
    w->x->user = &w->responder;
    tried_in_vain(w, why == TUNNEL_MISDIRECTED, buf_span(&said));
    buf_clear(&said);
}

static const struct tunnel_ops tunnel_ops = {.failed = tunnel_failed, .ended = over};

/* The path with the shard that lets the client in. */
static void add_path(struct buf *out, const struct passing *w)
{
    struct url_target target;
    struct buf scratch = {0};
    struct span party, id, rest = {0};
    enum err e = url_split_target(w->x->head->target, &target);
    if (e == ERR_OK)
        e = url_split_party(target.path, &scratch, &party, &id, &rest);
    if (e == ERR_OK && span_eq(id, buf_span(&w->shard_id))) {
        buf_add_span(out, target.path);
    } else {
        BUF_ADD_LIT(out, "/parties/shard/");
        url_encode(out, buf_span(&w->shard_id));
        buf_add_span(out, rest);
    }
    buf_clear(&scratch);
}

static void add_head(struct buf *out, const struct passing *w)
{
    struct buf path = {0};
    char client[ADDR_TEXT_MAX];
    add_path(&path, w);
    addr_format(&w->client, client);
    const struct hop_peer to = {
        .secrets = w->proxy->secrets,
        .entry = SPAN("world"),
        .client_ip = span_str(client),
        .host = http_head_get(w->x->head, SPAN("host")),
        .path = buf_span(&path),
        .wall_ms = clock_wall_ms(),
        .upgrade = w->is_socket,
        .trusted_peer = w->trusted,
    };
    hop_add_peer_request(out, w->x->head, &to);
    buf_clear(&path);
}

static void forward_there(struct passing *w, struct buf *head, struct http_pool *pool)
{
    if (w->forward != NULL) {
        forward_turn(w->forward, head, &to_node, w);
    } else {
        struct http_exchange *x = take_back(w);
        w->forward = forward_new(&w->proxy->forwards, x, head, &to_node, w);
        struct responder *r = x->user;
        if (w->body_complete)
            r->ops->complete(r);
    }
    forward_try(w->forward, pool);
}

static void tunnel_there(struct passing *w, struct buf *head, const struct url_origin *origin)
{
    struct http_exchange *x = take_back(w);
    w->x = NULL; /* until the tunnel gives it back */
    tunnel_try(tunnel_new(&w->proxy->tunnels, x, head, &tunnel_ops, w), origin);
}

static void go_there(struct passing *w, struct span node, struct span url)
{
    struct url_origin origin = {0};
    struct http_pool *pool = NULL;
    struct buf head = {0};
    buf_reset(&w->tried);
    buf_add_span(&w->tried, node);
    bool good = url_origin_parse(url, &origin) == ERR_OK;
    if (good && !w->is_socket)
        pool = pools_get(&w->proxy->pools, url);
    if (!good || (!w->is_socket && pool == NULL)) {
        tried_in_vain(w, false, SPAN(""));
    } else {
        add_head(&head, w);
        if (pool != NULL)
            forward_there(w, &head, pool);
        else
            tunnel_there(w, &head, &origin);
    }
    url_origin_clear(&origin);
}

/* ---- core's answer */

static void told_owner(struct passing *w, struct span body)
{
    struct resolved r;
    json_t *doc;
    const json_t *bans;
    if (resolved_read(&r, &doc, &bans, body) == ERR_OK) {
        buf_reset(&w->shard_id);
        buf_add_span(&w->shard_id, r.order.shard_id);
        go_there(w, r.node, r.url);
    } else {
        refuse(w, 503, SPAN("{\"error\":\"No node can be named\"}"));
    }
    json_decref(doc);
}

/* Nobody created it: a node may adopt it. */
static void told_missing(struct passing *w, struct span body)
{
    struct span node, url;
    json_t *doc = json_decode(body);
    if (json_get_span(doc, "node", &node) && json_get_span(doc, "url", &url))
        go_there(w, node, url);
    else
        refuse_not_found(w);
    json_decref(doc);
}

static void answered(struct server_question *q, int status, struct span body)
{
    struct passing *w = CONTAINER_OF(q, struct passing, question);
    if (status == 200)
        told_owner(w, body);
    else if (status == 404)
        told_missing(w, body);
    else
        refuse(w, 503, SPAN("{\"error\":\"No seat is free for this client\"}"));
}

/* ---- the exchange, while core is asked */

static void held_gone(struct responder *r)
{
    passing_free(CONTAINER_OF(r, struct passing, responder));
}

static void held_complete(struct responder *r)
{
    CONTAINER_OF(r, struct passing, responder)->body_complete = true;
}

static void held_nothing(struct responder *r)
{
    (void)r;
}

static void held_body(struct responder *r, struct span part)
{
    (void)r; /* it is not read; and sockets have none */
    (void)part;
}

static const struct responder_ops held_ops = {
    .body = held_body,
    .complete = held_complete,
    .drained = held_nothing,
    .gone = held_gone,
};

static struct passing *passing_new(struct shard_proxy *p, struct http_exchange *x, bool is_socket)
{
    struct passing *w = xcalloc(1, sizeof *w);
    *w = (struct passing){
        .responder.ops = &held_ops,
        .proxy = p,
        .x = x,
        .is_socket = is_socket,
        .has_body = !is_socket && (x->head->chunked || x->head->content_length > 0),
        .question.answered = answered,
    };
    list_push(&p->all, &w->node);
    x->user = &w->responder;
    if (w->has_body)
        http_exchange_pause(x);
    return w;
}

/* ---- */

void shard_proxy_init(struct shard_proxy *p, struct loop *l, struct server *server,
                      struct span secrets, size_t max_tunnels)
{
    *p = (struct shard_proxy){.server = server, .loop = l, .secrets = secrets};
    list_init(&p->all);
    tunnels_init(&p->tunnels, l, &p->stats.tunnels);
    p->tunnels.max = max_tunnels;
    p->tunnels.connect_ms = SHARD_PROXY_CONNECT_MS;
    p->tunnels.answer_ms = SHARD_PROXY_ANSWER_MS;
    forwards_init(&p->forwards, &p->stats.forwards, &p->stats.forwards_now);
    pools_init(&p->pools, l, &pool_settings);
}

static enum err split(struct span path, struct buf *scratch, struct span *id)
{
    struct span party, rest;
    enum err e = url_split_party(path, scratch, &party, id, &rest);
    return e == ERR_OK && !span_eq(party, SPAN("shard")) ? ERR_MISSING : e;
}

bool shard_proxy_wants(struct span path)
{
    struct buf scratch = {0};
    struct span id;
    bool wants = split(path, &scratch, &id) == ERR_OK;
    buf_clear(&scratch);
    return wants;
}

void shard_proxy_take(struct shard_proxy *p, struct http_exchange *x, const struct addr *client,
                      bool trusted)
{
    struct span key, id;
    struct url_target target;
    struct buf scratch = {0};
    bool is_socket =
        x->head->upgrade && http_head_has_token(x->head, SPAN("upgrade"), SPAN("websocket"));
    const char *problem = is_socket ? ws_handshake_check(x->head, &key) : NULL;
    if (problem != NULL) {
        http_respond_bad_upgrade(x, problem);
        return;
    }
    if (is_socket && tunnels_are_full(&p->tunnels)) {
        p->stats.refused_full++;
        http_respond(x, 503, SPAN(API_HEADERS_TEXT "Retry-After: 1\r\n"),
                     SPAN("{\"error\":\"This world carries no more sockets: dial a node\"}"));
        return;
    }
    struct passing *w = passing_new(p, x, is_socket);
    w->client = *client;
    w->trusted = trusted;
    if (url_split_target(x->head->target, &target) == ERR_OK &&
        split(target.path, &scratch, &id) == ERR_OK)
        buf_add_span(&w->shard_id, id);
    if (is_socket && target.query.ptr != NULL)
        (void)url_query_get(target.query, SPAN("id"), &w->session);
    buf_clear(&scratch);
    ask(w, RESOLVE_UNKNOWN);
}

void shard_proxy_close(struct shard_proxy *p)
{
    tunnels_close(&p->tunnels, WS_CODE_RESTART, SPAN("restart;retry=1000-5000"));
}

void shard_proxy_abort(struct shard_proxy *p)
{
    forwards_clear(&p->forwards);
    tunnels_abort(&p->tunnels);
    LIST_EACH_SAFE (&p->all, it, next) {
        struct passing *w = CONTAINER_OF(it, struct passing, node);
        if (w->x != NULL && w->forward == NULL)
            passing_free(w);
    }
    pools_clear(&p->pools);
}

void shard_proxy_clear(struct shard_proxy *p)
{
    assert(list_empty(&p->all));
    (void)p;
}
