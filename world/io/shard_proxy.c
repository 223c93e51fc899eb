/* Asks core who owns a shard, and tries the node that it names. Core decides; here is kept what
 * waits (common/net/held.h). */
#include "world/io/shard_proxy.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/proto/hop.h"
#include "common/proto/shard_id.h"
#include "common/proto/ws_handshake.h"
#include "world/io/question.h"
#include "world/io/server.h"

#define DEFAULT_WORLD "world-default"

struct passing {
    struct held held;
    struct list node;
    struct shard_proxy *proxy;
    struct server_question question;
    struct buf shard_id, session, tried;
    struct whence whence;
    unsigned asked;
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

static void refuse(struct passing *w, int status, struct span error)
{
    struct http_exchange *x = held_take_back(&w->held);
    passing_free(w);
    http_respond(x, status,
                 status == 503 ? SPAN(API_HEADERS_TEXT "Retry-After: 1\r\n") : API_HEADERS, error);
}

static void refuse_not_found(struct passing *w)
{
    struct http_exchange *x = held_take_back(&w->held);
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

static void tried_in_vain(struct held *h, enum resolve_reason why)
{
    struct passing *w = CONTAINER_OF(h, struct passing, held);
    if (why == RESOLVE_UNREACHABLE)
        w->proxy->stats.unreachable++;
    else
        w->proxy->stats.misdirected++;
    ask(w, why);
}

static void over(struct held *h)
{
    passing_free(CONTAINER_OF(h, struct passing, held));
}

/* The path with the shard that lets the client in; if the client named another one, that is
 * `dialled` (in `scratch`). */
static void add_path(struct buf *out, const struct passing *w, struct buf *scratch,
                     struct span *dialled)
{
    struct url_target target;
    struct span party, id = {0}, rest = {0};
    enum err e = url_split_target(w->held.x->head->target, &target);
    *dialled = (struct span){0};
    if (e == ERR_OK)
        e = url_split_party(target.path, scratch, &party, &id, &rest);
    if (e == ERR_OK && span_eq(id, buf_span(&w->shard_id))) {
        buf_add_span(out, target.path);
        return;
    }
    *dialled = id;
    BUF_ADD_LIT(out, "/parties/shard/");
    url_encode(out, buf_span(&w->shard_id));
    buf_add_span(out, rest);
}

static void add_head(struct held *h, struct buf *out)
{
    const struct passing *w = CONTAINER_OF(h, struct passing, held);
    struct buf path = {0}, scratch = {0};
    struct span dialled;
    char client[ADDR_TEXT_MAX];
    add_path(&path, w, &scratch, &dialled);
    addr_format(&w->whence.client, client);
    const struct hop_peer to = {
        .secrets = w->proxy->secrets,
        .entry = SPAN("world"),
        .client_ip = span_str(client),
        .host = whence_host(&w->whence, w->held.x->head),
        .dialled = dialled,
        .path = buf_span(&path),
        .wall_ms = clock_wall_ms(),
        .upgrade = h->is_socket,
        .https = w->whence.https,
        .trusted_peer = w->whence.trusted,
    };
    hop_add_peer_request(out, w->held.x->head, &to);
    buf_clear(&path);
    buf_clear(&scratch);
}

static const struct held_ops held_ops = {
    .add_head = add_head,
    .failed = tried_in_vain,
    .over = over,
};

static void go_there(struct passing *w, struct span node, struct span url)
{
    buf_reset(&w->tried);
    buf_add_span(&w->tried, node);
    held_try(&w->held, url);
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

static struct passing *passing_new(struct shard_proxy *p, struct http_exchange *x, bool is_socket)
{
    struct passing *w = xcalloc(1, sizeof *w);
    w->proxy = p;
    w->question.answered = answered;
    list_push(&p->all, &w->node);
    held_begin(&w->held, &p->ways, x, is_socket);
    return w;
}

/* ---- */

void shard_proxy_init(struct shard_proxy *p, struct loop *l, struct server *server,
                      const struct secrets *secrets, size_t max_tunnels)
{
    *p = (struct shard_proxy){.server = server, .loop = l, .secrets = secrets};
    list_init(&p->all);
    tunnels_init(&p->tunnels, l, &p->stats.tunnels);
    p->tunnels.max = max_tunnels;
    p->tunnels.connect_ms = SHARD_PROXY_CONNECT_MS;
    p->tunnels.answer_ms = SHARD_PROXY_ANSWER_MS;
    forwards_init(&p->forwards, &p->stats.forwards, &p->stats.forwards_now);
    pools_init(&p->pools, l, &pool_settings);
    p->pools.inside = true;
    p->ways = (struct held_ways){
        .tunnels = &p->tunnels,
        .forwards = &p->forwards,
        .pools = &p->pools,
    };
    held_ways_init(&p->ways, &held_ops, 0, SPAN(API_HEADERS_TEXT));
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

void shard_proxy_take(struct shard_proxy *p, struct http_exchange *x, const struct whence *whence)
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
    w->whence = *whence;
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
        if (held_waits(&w->held))
            passing_free(w);
    }
    pools_clear(&p->pools);
}

void shard_proxy_clear(struct shard_proxy *p)
{
    assert(list_empty(&p->all));
    (void)p;
}
