/* The HTTP server over real sockets, against a raw client. */
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
    size_t begun, complete, gone, drained, last_refused, refusals;
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

static void ws_message(struct ws_conn *w, char *data, size_t len, bool binary)
{
    (void)binary;
    buf_add(&app.ws_text, data, len);
    ws_send(w, WS_TEXT, span_of(data, len));
}

static void ws_closed(struct ws_conn *w, uint16_t code)
{
    (void)w;
    app.ws_closed = true;
    app.ws_code = code;
}

static const struct ws_ops ws_ops = {.message = ws_message, .closed = ws_closed};

static void raw_data(struct conn *c, char *data, size_t len)
{
    buf_add(&app.raw_bytes, data, len);
    conn_write(c, data, len);
}

static void raw_closed(struct conn *c, enum conn_end end)
{
    (void)c, (void)end;
    app.raw_closed = true;
}

static const struct conn_ops raw_ops = {.data = raw_data, .closed = raw_closed};

static bool target_is(const struct http_exchange *x, const char *target)
{
    return span_eq(x->head->target, span_str(target));
}

static void upgrade(struct http_exchange *x)
{
    struct span key;
    const char *wrong = ws_handshake_check(x->head, &key);
    assert_null(wrong);
    http_exchange_upgrade(x, &app.ws, key, ws_handshake_protocol(x->head), &ws_ops, &ws_settings);
}

static void on_begin(void *ctx, struct http_exchange *x)
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

static void on_body(void *ctx, struct http_exchange *x, struct span part)
{
    (void)ctx, (void)x;
    assert_true(part.len > 0);
    buf_add_span(&app.body, part);
    if (app.drop_in_body)
        http_respond(x, 403, (struct span){0}, SPAN("no"));
}

static void on_complete(void *ctx, struct http_exchange *x)
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

static void on_drained(void *ctx, struct http_exchange *x)
{
    (void)ctx, (void)x;
    app.drained++;
}

static void on_gone(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    assert_ptr_equal(x->user, x == app.later ? &app : NULL);
    app.gone++;
    app.later = NULL;
}

static void on_refused(void *ctx, int status)
{
    (void)ctx;
    app.last_refused = (size_t)status;
    app.refusals++;
}

static const struct http_app http_app = {.begin = on_begin,
                                         .body = on_body,
                                         .complete = on_complete,
                                         .drained = on_drained,
                                         .gone = on_gone,
                                         .refused = on_refused};

static void accepted(void *ctx, int fd)
{
    int size = 4096;
    if (app.small_buffers)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    http_server_accept(ctx, fd);
}

static int set_up(void **state)
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

static int tear_down(void **state)
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

static struct peer connect_client(void)
{
    return peer_connect(listener_port(app.listener));
}

static void until_text(struct peer *p, const char *text)
{
    UNTIL(app.loop, peer_has(p, text) || peer_ended(p));
    if (!peer_has(p, text))
        fail_msg("ended without \"%s\": %.*s", text, (int)p->in.len, p->in.data);
}

static void a_request_is_answered_and_the_connection_kept(void **state)
{
    (void)state;
    struct peer p = connect_client();
    peer_send(&p, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    until_text(&p, "\r\n\r\nnow");
    assert_true(peer_has(&p, "HTTP/1.1 200 OK\r\nDate: "));
    assert_true(peer_has(&p, "Content-Length: 3\r\n"));
    assert_true(peer_has(&p, "X-Test: 1\r\n"));
    assert_false(peer_has(&p, "Connection:"));
    peer_forget(&p);
    peer_send(&p, "\r\nPOST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    until_text(&p, "\r\n\r\nhello");
    assert_false(peer_ended(&p));
    assert_int_equal(http_server_connections(app.server), 1);
    peer_close(&p);
    UNTIL(app.loop, http_server_connections(app.server) == 0);
    assert_int_equal(app.gone, 0);
}

static void heads_and_bodies_may_come_byte_by_byte(void **state)
{
    static const char *const rows[][2] = {
        {"GET /now HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\nnow"},
        {"\r\n\r\nPOST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "\r\n\r\nabc"},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
         "2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n",
         "\r\n\r\nabc"},
        {"POST /sink HTTP/1.0\r\nContent-Length: 2\r\n\r\nab", "\r\n\r\nread 2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = connect_client();
        for (const char *at = rows[i][0]; *at != '\0'; at++) {
            assert_int_equal(peer_len(&p), 0);
            peer_send_bytes(&p, at, 1);
            loop_turn(app.loop, 1);
        }
        until_text(&p, rows[i][1]);
        peer_close(&p);
    }
}

static void requests_in_one_packet_are_answered_in_order(void **state)
{
    (void)state;
    struct peer p = connect_client();
    peer_send(&p, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
                  "GET /now HTTP/1.1\r\nHost: x\r\n\r\n"
                  "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\ntwo\r\n0\r\n\r\n"
                  "GET /now HTTP/1.1\r\nHo");
    until_text(&p, "\r\n\r\ntwo");
    assert_true(strstr(p.in.data, "one") < strstr(p.in.data, "now"));
    assert_true(strstr(p.in.data, "now") < strstr(p.in.data, "two"));
    assert_int_equal(peer_count(&p, "\r\n\r\nnow"), 1);
    peer_send(&p, "st: x\r\n\r\n");
    UNTIL(app.loop, peer_count(&p, "\r\n\r\nnow") == 2);
    peer_close(&p);
}

static void a_request_waits_for_the_answer_before_it(void **state)
{
    (void)state;
    struct peer p = connect_client();
    peer_send(&p, "GET /later HTTP/1.1\r\nHost: x\r\nX-Name: value\r\n\r\n"
                  "GET /now HTTP/1.1\r\nHost: x\r\n\r\nGET /later HTTP/1.1\r\nHost: y\r\n\r\n");
    UNTIL(app.loop, app.later != NULL);
    turn_some(app.loop);
    assert_int_equal(app.begun, 1);
    assert_int_equal(app.complete, 1);
    peer_send(&p, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    turn_some(app.loop);
    assert_int_equal(app.begun, 1);
    struct span value = http_head_get(app.later->head, SPAN("x-name"));
    assert_true(span_eq(value, SPAN("value"))); /* the head was kept */
    struct http_exchange *x = app.later;
    app.later = NULL;
    http_respond(x, 200, (struct span){0}, SPAN("later"));
    UNTIL(app.loop, app.later != NULL);
    assert_int_equal(app.begun, 3);
    assert_true(span_eq(http_head_get(app.later->head, SPAN("host")), SPAN("y")));
    http_respond(app.later, 404, (struct span){0}, SPAN("last"));
    until_text(&p, "last");
    UNTIL(app.loop, peer_count(&p, "\r\n\r\nnow") == 2);
    assert_true(peer_has(&p, "HTTP/1.1 404 Not Found\r\n"));
    peer_close(&p);
}

/* Sends as much of data[*at, len) as the socket takes. */
static void send_some(struct peer *p, const char *data, size_t len, size_t *at)
{
    if (*at == len)
        return;
    ssize_t n = send(p->fd, data + *at, len - *at, MSG_DONTWAIT | MSG_NOSIGNAL);
    *at += n > 0 ? (size_t)n : 0;
}

static void a_client_that_pipelines_and_does_not_read_is_held_back(void **state)
{
    (void)state;
    enum { REQUESTS = 10000 };
    app.small_buffers = true;
    struct peer p = peer_connect_small(listener_port(app.listener), 4096);
    struct buf requests = {0};
    for (int i = 0; i < REQUESTS; i++)
        BUF_ADD_LIT(&requests, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    size_t sent = 0;
    for (int i = 0; i < 50; i++) {
        send_some(&p, requests.data, requests.len, &sent);
        loop_turn(app.loop, 1);
    }
    size_t begun = app.begun;
    assert_in_range(begun, 1, REQUESTS / 5); /* about as many as 64 KiB of answers */
    turn_some(app.loop);
    assert_int_equal(app.begun, begun);
    UNTIL(app.loop, (send_some(&p, requests.data, requests.len, &sent), peer_pump(&p),
                     app.begun == REQUESTS));
    size_t one = (size_t)(strstr(p.in.data, "now") + 3 - p.in.data);
    UNTIL(app.loop, peer_len(&p) == one * REQUESTS);
    buf_clear(&requests);
    peer_close(&p);
}

static void answers_are_framed_as_the_request_allows(void **state)
{
    static const struct {
        const char *request, *has, *has_not;
        bool closes;
    } rows[] = {
        {"HEAD /now HTTP/1.1\r\nHost: x\r\n\r\n", "Content-Length: 3\r\n", "\r\n\r\nnow", false},
        {"GET /204 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 204 No Content\r\n", "ength", false},
        {"GET /now HTTP/1.0\r\n\r\n", "Connection: close\r\n", "keep", true},
        {"GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "Connection: keep-alive\r\n",
         "close", false},
        {"GET /now HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "Connection: close\r\n",
         "keep", true},
        {"HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n",
         false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = connect_client();
        peer_send(&p, rows[i].request);
        until_text(&p, rows[i].has);
        if (app.later != NULL) {
            http_respond_part(app.later, SPAN("not sent"));
            http_respond_end(app.later);
            app.later = NULL;
        }
        turn_some(app.loop);
        assert_true(peer_has(&p, "\r\n\r\n"));
        assert_false(peer_has(&p, rows[i].has_not));
        assert_int_equal(peer_ended(&p), rows[i].closes);
        if (!rows[i].closes) {
            peer_forget(&p);
            peer_send(&p, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
            until_text(&p, "\r\n\r\nnow");
        }
        peer_close(&p);
    }
}

static void streamed_answers_are_chunked_or_end_with_the_connection(void **state)
{
    static const struct {
        const char *request, *expect;
        bool closes;
    } rows[] = {
        {"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n",
         "\r\n\r\n5\r\nfirst\r\n12\r\na second, longer 1\r\n0\r\n\r\n", false},
        {"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         "Connection: close\r\n\r\nfirsta second, longer 1", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = connect_client();
        peer_send(&p, rows[i].request);
        UNTIL(app.loop, app.later != NULL);
        assert_true(http_exchange_is_answered(app.later));
        http_respond_part(app.later, SPAN("first"));
        http_respond_part(app.later, SPAN(""));
        until_text(&p, "first");
        http_respond_part(app.later, SPAN("a second, longer 1"));
        http_respond_end(app.later);
        app.later = NULL;
        until_text(&p, rows[i].expect);
        turn_some(app.loop);
        assert_int_equal(peer_ended(&p), rows[i].closes);
        peer_close(&p);
    }
}

static void an_answer_that_breaks_off_is_seen_as_incomplete(void **state)
{
    (void)state;
    struct peer p = connect_client();
    peer_send(&p, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(app.loop, app.later != NULL);
    http_respond_part(app.later, SPAN("first"));
    http_respond_abort(app.later);
    UNTIL(app.loop, peer_ended(&p));
    assert_true(peer_has(&p, "first"));
    assert_false(peer_has(&p, "0\r\n\r\n"));
    peer_close(&p);

    p = connect_client();
    app.later = NULL;
    peer_send(&p, "GET /stream HTTP/1.0\r\n\r\n");
    UNTIL(app.loop, app.later != NULL);
    http_respond_abort(app.later);
    UNTIL(app.loop, peer_ended(&p));
    assert_true(p.reset); /* an end would look like the answer's */
    peer_close(&p);

    p = connect_client();
    app.later = NULL;
    peer_send(&p, "GET /long HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(app.loop, app.later != NULL);
    http_respond_part(app.later, SPAN("123"));
    http_respond_end(app.later); /* 10 were announced */
    UNTIL(app.loop, peer_ended(&p));
    assert_true(peer_has(&p, "Content-Length: 10\r\n\r\n123"));
    peer_close(&p);
    assert_int_equal(app.gone, 0);
}

static char *long_head(const char *line, size_t count)
{
    struct buf b = {0};
    BUF_ADD_LIT(&b, "GET /now HTTP/1.1\r\nHost: x\r\n");
    for (size_t i = 0; i < count; i++)
        buf_add_span(&b, span_str(line));
    BUF_ADD_LIT(&b, "\r\n");
    buf_add_char(&b, '\0');
    return b.data;
}

static void refuse(const char *request, int status, const char *line)
{
    struct peer p = connect_client();
    size_t refusals = app.refusals;
    peer_send(&p, request);
    UNTIL(app.loop, peer_ended(&p));
    if (!peer_has(&p, line))
        fail_msg("%.60s: %.*s", request, (int)p.in.len, p.in.data);
    assert_false(p.reset);
    assert_true(peer_has(&p, "\r\nContent-Type: application/json\r\n"));
    assert_true(peer_has(&p, "\r\nX-Own: 1\r\n"));
    assert_true(peer_has(&p, "\r\nConnection: close\r\n"));
    assert_true(peer_has(&p, "\r\n\r\n{\"error\":\""));
    assert_int_equal(app.refusals, refusals + 1);
    assert_int_equal(app.last_refused, status);
    peer_close(&p);
}

static void bad_requests_are_refused(void **state)
{
    static const struct {
        const char *request;
        int status;
        const char *line;
    } rows[] = {
        {"GARBAGE\r\n\r\n", 400, "HTTP/1.1 400 Bad Request\r\n"},
        {"GARBAGE\r\n", 400, "HTTP/1.1 400 Bad Request\r\n"},  /* without waiting for more */
        {"\x16\x03\x01", 400, "HTTP/1.1 400 Bad Request\r\n"}, /* TLS */
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "HTTP/1.1 400 Bad Request\r\n"},
        {"GET /now HTTP/1.1\r\n\r\n", 400, "HTTP/1.1 400 Bad Request\r\n"},
        {"GET /now HTTP/1.1\nHost: x\n\n", 400, "HTTP/1.1 400 Bad Request\r\n"},
        {"GET /now HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400, "HTTP/1.1 400 Bad Request\r\n"},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 400,
         "HTTP/1.1 400 Bad Request\r\n"},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400, "HTTP/1.1 400 Bad Request\r\n"},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400,
         "HTTP/1.1 400 Bad Request\r\n"},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n", 413,
         "HTTP/1.1 413 Payload Too Large\r\n"},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
         "5\r\n12345\r\n7\r\n1234567\r\n",
         413, "HTTP/1.1 413 Payload Too Large\r\n"},
    };
    (void)state;
    app.limits.body_max = 10;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refuse(rows[i].request, rows[i].status, rows[i].line);
    char *many = long_head("A: b\r\n", HTTP_HEADERS_MAX);
    refuse(many, 431, "HTTP/1.1 431 Request Header Fields Too Large\r\n");
    free(many);
    char *large = long_head("A: 1234567890123456789012345678901234567890\r\n", 400);
    refuse(large, 431, "HTTP/1.1 431 Request Header Fields Too Large\r\n");
    free(large);
}

static void an_upload_that_is_refused_still_sees_the_answer(void **state)
{
    (void)state;
    app.limits.body_max = 1000;
    struct peer p = connect_client();
    peer_send(&p, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    char *part = xcalloc(1, 100000);
    for (int i = 0; i < 10; i++) {
        (void)send(p.fd, part, 100000, MSG_NOSIGNAL | MSG_DONTWAIT);
        loop_turn(app.loop, 1);
        loop_turn(app.loop, 1);
    }
    until_text(&p, "HTTP/1.1 413 Payload Too Large\r\n");
    UNTIL(app.loop, peer_ended(&p));
    assert_false(p.reset);
    free(part);
    peer_close(&p);
    UNTIL(app.loop, http_server_connections(app.server) == 0);
}

static void each_phase_has_its_time(void **state)
{
    static const struct {
        const char *send;
        int status; /* 0: closed without a word */
        bool gone;
    } rows[] = {
        {"", 0, false},
        {"GET /now HT", 408, false},
        {"POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc", 408, true},
        {"GET /now HTTP/1.1\r\nHost: x\r\n\r\n", 0, false}, /* idle behind it */
    };
    (void)state;
    app.limits.header_ms = app.limits.body_ms = app.limits.idle_ms = 40;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = connect_client();
        int64_t began = clock_mono_ms();
        app.gone = app.refusals = 0;
        peer_send(&p, rows[i].send);
        UNTIL(app.loop, peer_ended(&p));
        assert_true(clock_mono_ms() - began >= 39);
        assert_int_equal(app.refusals, rows[i].status != 0);
        assert_int_equal(peer_has(&p, "HTTP/1.1 408 Request Timeout\r\n"), rows[i].status == 408);
        assert_int_equal(app.gone, rows[i].gone);
        peer_close(&p);
    }
}

static void a_slow_application_and_a_paused_body_are_no_timeout(void **state)
{
    (void)state;
    app.limits.header_ms = app.limits.body_ms = app.limits.idle_ms = 30;
    struct peer p = connect_client(), q = connect_client();
    app.pause_in_begin = true;
    peer_send(&p, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    UNTIL(app.loop, app.later != NULL);
    struct http_exchange *paused = app.later;
    app.pause_in_begin = false;
    app.later = NULL;
    peer_send(&q, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(app.loop, app.later != NULL);
    for (int64_t end = clock_mono_ms() + 100; clock_mono_ms() < end;)
        loop_turn(app.loop, 5);
    assert_int_equal(app.body.len, 0);
    assert_int_equal(app.gone, 0);
    http_respond(app.later, 200, (struct span){0}, SPAN("slow"));
    until_text(&q, "slow");
    app.later = paused;
    http_exchange_resume(paused);
    UNTIL(app.loop, app.complete == 2);
    assert_int_equal(app.body.len, 3);
    http_respond(paused, 200, (struct span){0}, SPAN("well"));
    until_text(&p, "well");
    peer_close(&p);
    peer_close(&q);
}

static void half_a_connection_still_gets_its_answer(void **state)
{
    (void)state;
    struct peer p = connect_client(), q = connect_client(), r = connect_client();
    peer_send(&p, "GET /now HTTP/1.1\r\nHost: x\r\n\r\nGET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    (void)shutdown(p.fd, SHUT_WR);
    UNTIL(app.loop, peer_ended(&p));
    assert_int_equal(peer_count(&p, "\r\n\r\nnow"), 2);
    peer_send(&q, "GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    (void)shutdown(q.fd, SHUT_WR);
    UNTIL(app.loop, app.later != NULL);
    turn_some(app.loop);
    assert_false(peer_ended(&q));
    http_respond(app.later, 200, (struct span){0}, SPAN("later"));
    app.later = NULL;
    UNTIL(app.loop, peer_ended(&q));
    assert_true(peer_has(&q, "later"));
    assert_true(peer_has(&q, "\r\n\r\nnow"));
    assert_int_equal(app.gone, 0);
    peer_send(&r, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
    (void)shutdown(r.fd, SHUT_WR); /* this one can never be complete */
    UNTIL(app.loop, peer_ended(&r));
    assert_int_equal(app.gone, 1);
    peer_close(&p);
    peer_close(&q);
    peer_close(&r);
}

static void half_a_connection_that_takes_nothing_is_gone_in_the_end(void **state)
{
    (void)state;
    app.limits.idle_ms = 40;
    struct peer p = connect_client();
    peer_send(&p, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(app.loop, app.later != NULL);
    (void)shutdown(p.fd, SHUT_WR);
    UNTIL(app.loop, app.gone == 1);
    UNTIL(app.loop, peer_ended(&p));
    peer_close(&p);
}

static void a_client_that_breaks_off_is_told_as_gone(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "GET /later HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
        "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = connect_client();
        peer_send(&p, rows[i]);
        UNTIL(app.loop, app.later != NULL);
        peer_reset(&p);
        UNTIL(app.loop, app.gone == i + 1);
        UNTIL(app.loop, http_server_connections(app.server) == 0);
    }
}

static void answers_that_are_not_taken_end_the_connection(void **state)
{
    (void)state;
    app.limits.idle_ms = 60;
    struct peer p = peer_connect_small(listener_port(app.listener), 4096);
    char *large = xcalloc(1, 8 << 20);
    peer_send(&p, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(app.loop, app.later != NULL);
    http_respond(app.later, 200, (struct span){0}, span_of(large, 8 << 20));
    free(large);
    UNTIL(app.loop, http_server_connections(app.server) == 0);
    assert_int_equal(app.gone, 0); /* it was answered */
    peer_close(&p);
}

static void a_large_body_arrives_and_can_be_held_back(void **state)
{
    (void)state;
    enum { SIZE = 4 << 20 };
    struct peer p = connect_client();
    struct buf head = {0};
    buf_addf(&head, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", SIZE);
    peer_send_bytes(&p, head.data, head.len);
    app.pause_in_begin = true;
    char *body = xmalloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        body[i] = (char)(i * 7 / 3);
    size_t sent = 0;
    for (int i = 0; i < 50; i++) {
        send_some(&p, body, SIZE, &sent);
        loop_turn(app.loop, 1);
    }
    assert_int_equal(app.body.len, 0);
    http_exchange_resume(app.later);
    UNTIL(app.loop, (send_some(&p, body, SIZE, &sent), app.body.len == SIZE));
    assert_memory_equal(app.body.data, body, SIZE);
    UNTIL(app.loop, app.complete == 1);
    http_respond(app.later, 200, (struct span){0}, span_of(body, SIZE));
    UNTIL(app.loop, peer_len(&p) > SIZE);
    assert_memory_equal(p.in.data + p.in.len - SIZE, body, SIZE);
    free(body);
    buf_clear(&head);
    peer_close(&p);
}

static void a_streamed_answer_knows_when_it_is_full(void **state)
{
    (void)state;
    app.small_buffers = true;
    struct peer p = peer_connect_small(listener_port(app.listener), 4096);
    peer_send(&p, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(app.loop, app.later != NULL);
    static const char part[10000];
    size_t parts = 0;
    for (int quiet = 0; quiet < 20; quiet++) {
        for (; !http_exchange_is_full(app.later); parts++, quiet = 0)
            http_respond_part(app.later, span_of(part, sizeof part));
        loop_turn(app.loop, 1);
    }
    size_t before = app.drained;
    UNTIL(app.loop, (peer_pump(&p), app.drained > before));
    assert_false(http_exchange_is_full(app.later));
    http_respond_end(app.later);
    until_text(&p, "\r\n0\r\n\r\n");
    assert_int_equal(peer_count(&p, "\r\n2710\r\n"), parts);
    peer_close(&p);
}

static void the_client_is_told_to_continue_when_the_body_is_wanted(void **state)
{
    (void)state;
    struct peer p = connect_client();
    peer_send(&p, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                  "Expect: 100-continue\r\n\r\n");
    until_text(&p, "HTTP/1.1 100 Continue\r\n\r\n");
    peer_send(&p, "abc");
    until_text(&p, "\r\n\r\nabc");
    peer_forget(&p);
    /* The body is here already: no need to say so. */
    peer_send(&p, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                  "Expect: 100-continue\r\n\r\nabc");
    until_text(&p, "\r\n\r\nabc");
    assert_false(peer_has(&p, "100 Continue"));
    peer_forget(&p);
    /* Answered without it: nobody knows whether it will come. */
    peer_send(&p, "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                  "Expect: 100-continue\r\n\r\n");
    UNTIL(app.loop, peer_ended(&p));
    assert_true(peer_has(&p, "Connection: close\r\n"));
    assert_true(peer_has(&p, "\r\n\r\nnow"));
    assert_false(peer_has(&p, "100 Continue"));
    peer_close(&p);
}

static void a_body_that_nobody_reads_is_dropped_if_it_is_small(void **state)
{
    (void)state;
    struct peer p = connect_client();
    peer_send(&p, "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
    until_text(&p, "\r\n\r\nnow");
    assert_false(peer_has(&p, "Connection: close"));
    peer_send(&p, "67890GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(app.loop, peer_count(&p, "\r\n\r\nnow") == 2);
    peer_send(&p, "POST /now HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab");
    UNTIL(app.loop, peer_count(&p, "\r\n\r\nnow") == 3);
    peer_send(&p, "c\r\n0\r\n\r\nGET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(app.loop, peer_count(&p, "\r\n\r\nnow") == 4);
    assert_int_equal(app.body.len, 0);
    assert_int_equal(app.complete, 0);
    peer_forget(&p);
    peer_send(&p, "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n12345");
    UNTIL(app.loop, peer_ended(&p));
    assert_true(peer_has(&p, "Connection: close\r\n"));
    assert_true(peer_has(&p, "\r\n\r\nnow"));
    peer_close(&p);
}

static void an_answer_inside_the_body_ends_the_callbacks(void **state)
{
    (void)state;
    app.drop_in_body = true;
    struct peer p = connect_client();
    peer_send(&p, "POST /sink HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
    until_text(&p, "HTTP/1.1 403 Forbidden\r\n");
    peer_send(&p, "defGET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    until_text(&p, "\r\n\r\nnow");
    assert_int_equal(app.complete, 0);
    peer_send(&p, "POST /sink HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    UNTIL(app.loop, peer_count(&p, "HTTP/1.1 403") == 2);
    assert_int_equal(app.complete, 0);
    peer_close(&p);
}

static void there_is_a_limit_of_connections(void **state)
{
    (void)state;
    app.limits.max_connections = 2;
    struct peer p = connect_client(), q = connect_client();
    UNTIL(app.loop, http_server_connections(app.server) == 2);
    struct peer r = connect_client();
    UNTIL(app.loop, peer_ended(&r));
    assert_true(peer_has(&r, "HTTP/1.1 503 Service Unavailable\r\n"));
    assert_true(peer_has(&r, "\r\nRetry-After: 1\r\n"));
    assert_int_equal(app.last_refused, 503);
    peer_close(&p);
    peer_close(&r);
    UNTIL(app.loop, http_server_connections(app.server) == 1);
    p = connect_client();
    peer_send(&p, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    until_text(&p, "\r\n\r\nnow");
    peer_close(&p);
    peer_close(&q);
}

static void a_drain_closes_the_idle_and_lets_the_others_finish(void **state)
{
    (void)state;
    struct peer idle = connect_client(), busy = connect_client();
    peer_send(&idle, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    until_text(&idle, "\r\n\r\nnow");
    peer_send(&busy, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    UNTIL(app.loop, app.later != NULL);
    http_server_drain(app.server);
    UNTIL(app.loop, peer_ended(&idle));
    assert_false(peer_ended(&busy));
    http_respond(app.later, 200, (struct span){0}, SPAN("later"));
    UNTIL(app.loop, peer_ended(&busy));
    assert_true(peer_has(&busy, "Connection: close\r\n"));
    assert_true(peer_has(&busy, "\r\n\r\nlater"));
    peer_close(&idle);
    peer_close(&busy);
    UNTIL(app.loop, http_server_connections(app.server) == 0);
}

static void a_freed_server_calls_nobody(void **state)
{
    (void)state;
    struct peer p = connect_client(), q = connect_client();
    peer_send(&p, "GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    peer_send(&q, "GET /no");
    UNTIL(app.loop, app.later != NULL);
    http_server_free(app.server);
    UNTIL(app.loop, peer_ended(&p) && peer_ended(&q));
    assert_int_equal(app.gone, 0);
    assert_int_equal(app.begun, 1);
    app.server = http_server_new(app.loop, &http_app, &app, &app.limits, SPAN(""));
    peer_close(&p);
    peer_close(&q);
    listener_close(app.listener);
    app.listener = NULL;
}

#define WS_REQUEST(target)                                                                         \
    "GET " target " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"          \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
/* "hi", masked with zeros. */
#define WS_HI "\x81\x82\0\0\0\0hi"

static void send_upgrade(struct peer *p, const char *request)
{
    char bytes[1024];
    size_t len = strlen(request);
    memcpy(bytes, request, len);
    memcpy(bytes + len, WS_HI, sizeof WS_HI - 1);
    peer_send_bytes(p, bytes, len + sizeof WS_HI - 1);
}

static void an_upgrade_keeps_the_bytes_behind_the_head(void **state)
{
    (void)state;
    struct peer p = connect_client();
    send_upgrade(&p, WS_REQUEST("/ws"));
    until_text(&p, "\r\n\r\n\x81\x02hi");
    assert_true(peer_has(&p, "HTTP/1.1 101 Switching Protocols\r\n"));
    assert_true(peer_has(&p, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_int_equal(http_server_connections(app.server), 0);
    peer_send_bytes(&p, WS_HI, sizeof WS_HI - 1);
    UNTIL(app.loop, app.ws_text.len == 4);
    peer_close(&p);
    UNTIL(app.loop, app.ws_closed);
    assert_int_equal(app.ws_code, WS_CODE_ABNORMAL);
    assert_int_equal(app.gone, 0);
}

static void an_upgrade_may_come_later(void **state)
{
    (void)state;
    struct peer p = connect_client();
    send_upgrade(&p, WS_REQUEST("/ws-later"));
    UNTIL(app.loop, app.later != NULL);
    turn_some(app.loop);
    assert_int_equal(peer_len(&p), 0);
    upgrade(app.later);
    app.later = NULL;
    until_text(&p, "\r\n\r\n\x81\x02hi");
    peer_send_bytes(&p, WS_HI, sizeof WS_HI - 1);
    UNTIL(app.loop, app.ws_text.len == 4);
    peer_close(&p);
    UNTIL(app.loop, app.ws_closed);
}

static void an_upgrade_of_a_dead_connection_ends_in_closed(void **state)
{
    (void)state;
    struct peer p = connect_client();
    send_upgrade(&p, WS_REQUEST("/ws-later"));
    UNTIL(app.loop, app.later != NULL);
    (void)shutdown(p.fd, SHUT_WR); /* the frame is taken, then the end seen */
    upgrade(app.later);
    app.later = NULL;
    UNTIL(app.loop, app.ws_closed);
    assert_int_equal(app.ws_text.len, 2);
    assert_int_equal(app.gone, 0);
    peer_close(&p);
}

static void a_detached_connection_is_raw_from_behind_the_head(void **state)
{
    (void)state;
    struct peer p = connect_client();
    peer_send(&p, "GET /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nraw bytes");
    until_text(&p, "raw bytes");
    assert_int_equal(p.in.len, sizeof "raw bytes" - 1); /* and no answer of ours */
    peer_send(&p, " more");
    until_text(&p, " more");
    (void)shutdown(p.fd, SHUT_WR);
    UNTIL(app.loop, app.raw_closed);
    assert_int_equal(http_server_connections(app.server), 0);
    peer_close(&p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_answered_and_the_connection_kept),
        TEST(heads_and_bodies_may_come_byte_by_byte),
        TEST(requests_in_one_packet_are_answered_in_order),
        TEST(a_request_waits_for_the_answer_before_it),
        TEST(a_client_that_pipelines_and_does_not_read_is_held_back),
        TEST(answers_are_framed_as_the_request_allows),
        TEST(streamed_answers_are_chunked_or_end_with_the_connection),
        TEST(an_answer_that_breaks_off_is_seen_as_incomplete),
        TEST(bad_requests_are_refused),
        TEST(an_upload_that_is_refused_still_sees_the_answer),
        TEST(each_phase_has_its_time),
        TEST(a_slow_application_and_a_paused_body_are_no_timeout),
        TEST(half_a_connection_still_gets_its_answer),
        TEST(half_a_connection_that_takes_nothing_is_gone_in_the_end),
        TEST(a_client_that_breaks_off_is_told_as_gone),
        TEST(answers_that_are_not_taken_end_the_connection),
        TEST(a_large_body_arrives_and_can_be_held_back),
        TEST(a_streamed_answer_knows_when_it_is_full),
        TEST(the_client_is_told_to_continue_when_the_body_is_wanted),
        TEST(a_body_that_nobody_reads_is_dropped_if_it_is_small),
        TEST(an_answer_inside_the_body_ends_the_callbacks),
        TEST(there_is_a_limit_of_connections),
        TEST(a_drain_closes_the_idle_and_lets_the_others_finish),
        TEST(a_freed_server_calls_nobody),
        TEST(an_upgrade_keeps_the_bytes_behind_the_head),
        TEST(an_upgrade_may_come_later),
        TEST(an_upgrade_of_a_dead_connection_ends_in_closed),
        TEST(a_detached_connection_is_raw_from_behind_the_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
