#pragma once
/* The application under the tests of the HTTP server: over real sockets, against a raw client. */
#include "wire.h"

#include "common/net/http_server.h"
#include "common/net/ws_conn.h"
#include "common/proto/ws_handshake.h"

/* What the application does with a request is chosen by its target:
 *   /now       answers in begin                     /echo   answers in complete with the body
 *   /later     answered by the test                 /ws     upgrades in begin
 *   /ws-later  upgraded by the test                 /raw    detached in begin
 *   /sink      reads the body, answers its length   /stream begins an answer; the test goes on */
struct app {
    struct loop *loop;
    struct http_limits limits;
    struct http_server *server;
    struct listener *listener;
    struct http_exchange *later; /* the newest that waits for the test */
    struct buf body;
    size_t begun, complete, gone, drained, last_refused, refusals, proxied;
    bool pause_in_begin, drop_in_body, small_buffers;
    struct ws_conn ws;
    struct buf ws_text;
    bool ws_closed;
    uint16_t ws_code;
    struct conn raw;
    struct buf raw_bytes;
    bool raw_closed;
    size_t fds;
};

static struct app app;

static const struct ws_settings ws_settings = {.max_message = 1 << 20, .high_water = 1 << 20};

static inline void ws_message(struct ws_conn *w, char *data, size_t len, bool binary)
{
    (void)binary;
    buf_add(&app.ws_text, data, len);
    ws_send(w, WS_TEXT, span_of(data, len));
}

static inline void ws_closed(struct ws_conn *w, uint16_t code)
{
    (void)w;
    app.ws_closed = true;
    app.ws_code = code;
}

static const struct ws_ops ws_ops = {.message = ws_message, .closed = ws_closed};

static inline void raw_data(struct conn *c, char *data, size_t len)
{
    buf_add(&app.raw_bytes, data, len);
    conn_write(c, data, len);
}

static inline void raw_closed(struct conn *c, enum conn_end end)
{
    (void)c, (void)end;
    app.raw_closed = true;
}

static const struct conn_ops raw_ops = {.data = raw_data, .closed = raw_closed};

static inline bool target_is(const struct http_exchange *x, const char *target)
{
    return span_eq(x->head->target, span_str(target));
}

static inline void upgrade(struct http_exchange *x)
{
    struct span key;
    const char *wrong = ws_handshake_check(x->head, &key);
    assert_null(wrong);
    http_exchange_upgrade(x, &app.ws, key, ws_handshake_protocol(x->head), SPAN(""), &ws_ops,
                          &ws_settings);
}

static inline void on_begin(void *ctx, struct http_exchange *x)
{
    assert_ptr_equal(ctx, &app);
    app.begun++;
    buf_reset(&app.body);
    if (app.pause_in_begin)
        http_exchange_pause(x);
    if (target_is(x, "/now"))
        http_respond(x, 200, SPAN("X-Test: 1\r\n"), SPAN("now"));
    else if (target_is(x, "/204"))
        http_respond(x, 204, (struct span){0}, (struct span){0});
    else if (target_is(x, "/ws"))
        upgrade(x);
    else if (target_is(x, "/raw"))
        http_exchange_detach(x, &app.raw, &raw_ops);
    else if (target_is(x, "/stream"))
        http_respond_begin(x, 200, (struct span){0}, -1);
    else if (target_is(x, "/long"))
        http_respond_begin(x, 200, (struct span){0}, 10);
    if (target_is(x, "/stream") || target_is(x, "/long") || target_is(x, "/later") ||
        target_is(x, "/ws-later")) {
        x->user = &app;
        app.later = x;
    }
}

static inline void on_body(void *ctx, struct http_exchange *x, struct span part)
{
    (void)ctx, (void)x;
    assert_true(part.len > 0);
    buf_add_span(&app.body, part);
    if (app.drop_in_body)
        http_respond(x, 403, (struct span){0}, SPAN("no"));
}

static inline void on_complete(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    app.complete++;
    if (target_is(x, "/echo")) {
        http_respond(x, 200, (struct span){0}, buf_span(&app.body));
    } else if (target_is(x, "/sink")) {
        struct buf text = {0};
        buf_addf(&text, "read %zu", app.body.len);
        http_respond(x, 200, (struct span){0}, buf_span(&text));
        buf_clear(&text);
    }
}

static inline void on_drained(void *ctx, struct http_exchange *x)
{
    (void)ctx, (void)x;
    app.drained++;
}

static inline void on_gone(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    assert_ptr_equal(x->user, x == app.later ? &app : NULL);
    app.gone++;
    app.later = NULL;
}

static inline void on_refused(void *ctx, int status)
{
    (void)ctx;
    app.last_refused = (size_t)status;
    app.refusals++;
}

static inline void on_proxied(void *ctx, const struct addr *peer)
{
    (void)ctx;
    assert_true(addr_is_loopback(peer));
    app.proxied++;
}

static inline bool tells_problems(void *ctx, struct span target)
{
    (void)ctx;
    return span_starts(target, SPAN("/own/"));
}

static const struct http_app http_app = {.begin = on_begin,
                                         .body = on_body,
                                         .complete = on_complete,
                                         .drained = on_drained,
                                         .gone = on_gone,
                                         .refused = on_refused,
                                         .proxied = on_proxied,
                                         .tells_problems = tells_problems};

static inline void accepted(void *ctx, int fd)
{
    int size = 4096;
    if (app.small_buffers)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    http_server_accept(ctx, fd);
}

static inline int set_up(void **state)
{
    (void)state;
    app = (struct app){
        .fds = open_fds(),
        .limits = {.header_ms = 10000, .body_ms = 10000, .idle_ms = 10000, .high_water = 64 * 1024},
    };
    app.loop = loop_new();
    app.server = http_server_new(app.loop, &http_app, &app, &app.limits, SPAN("X-Own: 1\r\n"));
    app.listener = listen_any(app.loop, accepted, app.server);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    http_server_free(app.server);
    ws_abort(&app.ws);
    conn_abort(&app.raw);
    listener_close(app.listener);
    turn_some(app.loop);
    loop_free(app.loop);
    buf_clear(&app.body);
    buf_clear(&app.ws_text);
    buf_clear(&app.raw_bytes);
    assert_int_equal(open_fds(), app.fds);
    return 0;
}

static inline struct peer connect_client(void)
{
    return peer_connect(listener_port(app.listener));
}

static inline void until_text(struct peer *p, const char *text)
{
    TURN_UNTIL(app.loop, peer_has(p, text) || peer_ended(p));
    if (!peer_has(p, text))
        fail_msg("ended without \"%s\": %.*s", text, (int)p->in.len, p->in.data);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
