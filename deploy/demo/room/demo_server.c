/* Owns the sockets of the demo room server and its routes:
 *     /parties/main/{room}        WebSocket with the shard secret: a link; OPTIONS: warm-up
 *     /parties/main/{room}/state  GET: the room's state
 *     /  /config.json  /livez     the page and what it needs */
#include "deploy/demo/room/demo_server.h"

#include <stdlib.h>

#include "common/base/json.h"
#include "common/base/list.h"
#include "common/base/log.h"
#include "common/base/rng.h"
#include "common/net/listener.h"
#include "common/proto/secret.h"
#include "common/proto/url.h"
#include "common/proto/ws_handshake.h"
#include "deploy/demo/room/page.h"

#define JSON_TYPE "content-type: application/json\r\naccess-control-allow-origin: *\r\n"

enum { TICK_MS = 1000 };

struct demo_server {
    struct loop *loop;
    const struct demo_settings *settings;
    struct http_server *http;
    struct listener *listener;
    struct demo *demo;
    struct timer tick;
    struct list links;
    size_t link_count;
    bool stopping;
};

/* A shard's link: a WebSocket and its place in the demo. */
struct link {
    struct ws_conn ws;
    struct list node; /* in server->links */
    struct demo_server *server;
    struct demo_link *demo;
};

static const struct ws_settings link_settings = {
    .max_message = (size_t)16 << 20,
    .ping_ms = 25000,
    .pong_ms = 10000,
    .max_queue = (size_t)64 << 20,
};

static const struct http_limits limits = {
    .header_ms = 10000,
    .body_ms = 30000,
    .idle_ms = 60000,
    .body_max = UINT64_C(64) * 1024,
    .high_water = 1 << 20,
    .max_connections = 1000,
};

/* ---- links */

static void link_send(void *peer, struct span text)
{
    struct link *l = peer;
    ws_send(&l->ws, WS_TEXT, text);
}

static const struct demo_port port = {.send = link_send};

static void link_message(struct ws_conn *w, char *data, size_t len, bool binary)
{
    struct link *l = CONTAINER_OF(w, struct link, ws);
    if (!binary)
        demo_link_frame(l->demo, span_of(data, len), loop_now(l->server->loop));
}

static void link_closed(struct ws_conn *w, uint16_t code)
{
    struct link *l = CONTAINER_OF(w, struct link, ws);
    struct demo_server *s = l->server;
    log_info("link.closed", "code=%d", code);
    demo_link_close(l->demo, loop_now(s->loop));
    list_remove(&l->node);
    s->link_count--;
    free(l);
}

static const struct ws_ops link_ops = {.message = link_message, .closed = link_closed};

static void respond_error(struct http_exchange *x, int status, const char *error)
{
    struct buf body = {0};
    BUF_ADD_LIT(&body, "{\"error\":");
    json_add_string(&body, span_str(error));
    buf_add_char(&body, '}');
    http_respond(x, status, SPAN(JSON_TYPE), buf_span(&body));
    buf_clear(&body);
}

static void open_link(struct demo_server *s, struct http_exchange *x, struct span room)
{
    struct span key;
    const char *wrong = ws_handshake_check(x->head, &key);
    struct span secret = http_head_get(x->head, SPAN("x-access-shard"));
    if (wrong != NULL) {
        http_respond_bad_upgrade(x, wrong);
        return;
    }
    if (!secrets_match(&(struct secrets){span_str(s->settings->shard_secret)}, secret)) {
        respond_error(x, 401, "Invalid shard credentials");
        return;
    }
    struct link *l = xcalloc(1, sizeof *l);
    l->server = s;
    if (s->stopping || demo_link_open(s->demo, room, l, &l->demo) != ERR_OK) {
        free(l);
        respond_error(x, 503, "No room for another room");
        return;
    }
    list_push(&s->links, &l->node);
    s->link_count++;
    log_info("link.open", "room=%.*s", SPAN_ARG(room));
    http_exchange_upgrade(x, &l->ws, key, ws_handshake_protocol(x->head), SPAN(""), &link_ops,
                          &link_settings);
}

/* ---- HTTP */

static void serve_state(struct demo_server *s, struct http_exchange *x, struct span room)
{
    struct buf body = {0};
    if (demo_state(s->demo, room, &body))
        http_respond(x, 200, SPAN(JSON_TYPE), buf_span(&body));
    else
        respond_error(x, 404, "Room not found");
    buf_clear(&body);
}

static void serve_room(struct demo_server *s, struct http_exchange *x, struct span room,
                       struct span rest)
{
    if (x->head->upgrade)
        open_link(s, x, room);
    else if (span_eq(x->head->method, SPAN("OPTIONS")))
        http_respond(x, 200, SPAN(JSON_TYPE), SPAN("{}"));
    else if (span_eq(x->head->method, SPAN("GET")) && span_eq(rest, SPAN("/state")))
        serve_state(s, x, room);
    else
        respond_error(x, 404, "Not found");
}

static void serve_config(struct demo_server *s, struct http_exchange *x)
{
    struct buf body = {0};
    struct span urls = span_str(s->settings->cluster_urls), url;
    const char *comma = "";
    BUF_ADD_LIT(&body, "{\"nodes\":[");
    while (span_split(&urls, ',', &url)) {
        buf_addf(&body, "%s", comma);
        json_add_string(&body, span_trim(url));
        comma = ",";
    }
    BUF_ADD_LIT(&body, "],\"world\":");
    json_add_string(&body, span_str(s->settings->world_id));
    BUF_ADD_LIT(&body, ",\"room\":");
    json_add_string(&body, span_str(s->settings->room));
    buf_add_char(&body, '}');
    http_respond(x, 200, SPAN(JSON_TYPE "cache-control: no-store\r\n"), buf_span(&body));
    buf_clear(&body);
}

static void serve_file(struct demo_server *s, struct http_exchange *x, struct span path)
{
    bool get = span_eq(x->head->method, SPAN("GET")) || span_eq(x->head->method, SPAN("HEAD"));
    if (get && span_eq(path, SPAN("/")))
        http_respond(x, 200,
                     SPAN("content-type: text/html; charset=utf-8\r\ncache-control: no-store\r\n"
                          "content-security-policy: default-src 'none'; style-src 'unsafe-inline'; "
                          "script-src 'unsafe-inline'; img-src data:; "
                          "connect-src http: https: ws: wss:\r\n"),
                     demo_page);
    else if (get && span_eq(path, SPAN("/config.json")))
        serve_config(s, x);
    else if (get && span_eq(path, SPAN("/livez")))
        http_respond(x, 200, SPAN(JSON_TYPE), SPAN("{\"status\":\"ok\"}"));
    else
        respond_error(x, 404, "Not found");
}

static void on_complete(void *ctx, struct http_exchange *x)
{
    struct demo_server *s = ctx;
    struct url_target target;
    struct span party, room, rest;
    struct buf scratch = {0};
    if (url_split_target(x->head->target, &target) != ERR_OK) {
        respond_error(x, 400, "Bad request target");
        return;
    }
    switch ((int)url_split_party(target.path, &scratch, &party, &room, &rest)) {
    case ERR_OK:
        if (span_eq(party, SPAN("main")))
            serve_room(s, x, room, rest);
        else
            respond_error(x, 404, "Not found");
        break;
    case ERR_MISSING:
        serve_file(s, x, target.path);
        break;
    default:
        respond_error(x, 400, "Bad escape in the path");
    }
    buf_clear(&scratch);
}

static void on_begin(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    (void)x;
}

static void on_body(void *ctx, struct http_exchange *x, struct span part)
{
    (void)ctx;
    (void)x;
    (void)part;
}

static const struct http_app app = {.begin = on_begin, .body = on_body, .complete = on_complete};

/* ---- life */

static void on_tick(struct timer *t, int64_t now)
{
    struct demo_server *s = CONTAINER_OF(t, struct demo_server, tick);
    demo_tick(s->demo, now);
    wheel_set(loop_wheel(s->loop), t, now + TICK_MS);
}

struct demo_server *demo_server_new(struct loop *l, const struct demo_settings *settings,
                                    const char **why)
{
    struct demo_server *s = xcalloc(1, sizeof *s);
    uint64_t seed;
    rng_bytes(&seed, sizeof seed);
    s->loop = l;
    s->settings = settings;
    s->demo = demo_new(&port, seed);
    list_init(&s->links);
    s->http = http_server_new(l, &app, s, &limits, SPAN(""));
    if (listener_open(&s->listener, l, settings->host, (uint16_t)settings->port, http_server_accept,
                      s->http, why) != ERR_OK) {
        demo_server_free(s);
        return NULL;
    }
    s->tick.fire = on_tick;
    wheel_set(loop_wheel(l), &s->tick, loop_now(l) + TICK_MS);
    return s;
}

const char *demo_server_address(const struct demo_server *s)
{
    return listener_address(s->listener);
}

void demo_server_stop(struct demo_server *s)
{
    bool again = s->stopping;
    s->stopping = true;
    listener_close(s->listener);
    s->listener = NULL;
    http_server_drain(s->http);
    LIST_EACH (&s->links, n) {
        struct link *l = CONTAINER_OF(n, struct link, node);
        if (again)
            ws_abort(&l->ws);
        else
            ws_close(&l->ws, WS_CODE_RESTART, SPAN("restart"));
    }
}

size_t demo_server_links(const struct demo_server *s)
{
    return s->link_count;
}

void demo_server_free(struct demo_server *s)
{
    wheel_cancel(loop_wheel(s->loop), &s->tick);
    listener_close(s->listener);
    http_server_free(s->http);
    demo_free(s->demo);
    free(s);
}
