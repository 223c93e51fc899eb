/* Bad requests, limits, times, and ends. */
#include "http_app.h"

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
    TURN_UNTIL(app.loop, peer_ended(&p));
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

/* As far as it was read, the target decides. */
static void what_the_application_calls_its_own_is_refused_with_a_problem(void **state)
{
    static const char *const rows[] = {
        "GET /own/x HTTP/1.1\r\n\r\n",
        "\r\n\r\nGET /own/x HTTP/1.1\r\n\r\n",
        "POST /own/x HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n",
        "POST /own/later HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /own/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
        "GET /own/x HTTP/1.1\r\nHost",
    };
    (void)state;
    app.limits.body_max = 10;
    app.limits.header_ms = app.limits.body_ms = 40;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = connect_client();
        peer_send(&p, rows[i]);
        TURN_UNTIL(app.loop, peer_ended(&p));
        assert_true(peer_has(&p, "\r\nContent-Type: application/problem+json\r\n"));
        assert_true(peer_has(&p, "\r\n\r\n{\"type\":\"about:blank\",\"title\":\""));
        peer_close(&p);
    }
}

/* A load balancer that is not known as one is told from a client that talks nonsense. */
static void a_proxy_header_where_none_belongs_is_told_of(void **state)
{
    static const struct {
        const char *bytes;
        size_t len, told;
    } rows[] = {
        {"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\n\r\n", 54, 1},
        {"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\0\2", 28, 1},
        {"PROXYISH nonsense\r\n\r\n", 21, 0},
        {"\r\n\r\n\0\r\nQUAT\n", 12, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        app.proxied = 0;
        struct peer p = connect_client();
        peer_send_bytes(&p, rows[i].bytes, rows[i].len);
        until_text(&p, "HTTP/1.1 400 Bad Request\r\n");
        assert_int_equal(app.proxied, rows[i].told);
        peer_close(&p);
    }
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
    TURN_UNTIL(app.loop, peer_ended(&p));
    assert_false(p.reset);
    free(part);
    peer_close(&p);
    TURN_UNTIL(app.loop, http_server_connections(app.server) == 0);
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
        TURN_UNTIL(app.loop, peer_ended(&p));
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
    TURN_UNTIL(app.loop, app.later != NULL);
    struct http_exchange *paused = app.later;
    app.pause_in_begin = false;
    app.later = NULL;
    peer_send(&q, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    TURN_UNTIL(app.loop, app.later != NULL);
    for (int64_t end = clock_mono_ms() + 100; clock_mono_ms() < end;)
        loop_turn(app.loop, 5);
    assert_int_equal(app.body.len, 0);
    assert_int_equal(app.gone, 0);
    http_respond(app.later, 200, (struct span){0}, SPAN("slow"));
    until_text(&q, "slow");
    app.later = paused;
    http_exchange_resume(paused);
    TURN_UNTIL(app.loop, app.complete == 2);
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
    TURN_UNTIL(app.loop, peer_ended(&p));
    assert_int_equal(peer_count(&p, "\r\n\r\nnow"), 2);
    peer_send(&q, "GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    (void)shutdown(q.fd, SHUT_WR);
    TURN_UNTIL(app.loop, app.later != NULL);
    turn_some(app.loop);
    assert_false(peer_ended(&q));
    http_respond(app.later, 200, (struct span){0}, SPAN("later"));
    app.later = NULL;
    TURN_UNTIL(app.loop, peer_ended(&q));
    assert_true(peer_has(&q, "later"));
    assert_true(peer_has(&q, "\r\n\r\nnow"));
    assert_int_equal(app.gone, 0);
    peer_send(&r, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
    (void)shutdown(r.fd, SHUT_WR); /* this one can never be complete */
    TURN_UNTIL(app.loop, peer_ended(&r));
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
    TURN_UNTIL(app.loop, app.later != NULL);
    (void)shutdown(p.fd, SHUT_WR);
    TURN_UNTIL(app.loop, app.gone == 1);
    TURN_UNTIL(app.loop, peer_ended(&p));
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
        TURN_UNTIL(app.loop, app.later != NULL);
        peer_reset(&p);
        TURN_UNTIL(app.loop, app.gone == i + 1);
        TURN_UNTIL(app.loop, http_server_connections(app.server) == 0);
    }
}

static void answers_that_are_not_taken_end_the_connection(void **state)
{
    (void)state;
    app.limits.idle_ms = 60;
    struct peer p = peer_connect_small(listener_port(app.listener), 4096);
    char *large = xcalloc(1, 8 << 20);
    peer_send(&p, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    TURN_UNTIL(app.loop, app.later != NULL);
    http_respond(app.later, 200, (struct span){0}, span_of(large, 8 << 20));
    free(large);
    TURN_UNTIL(app.loop, http_server_connections(app.server) == 0);
    assert_int_equal(app.gone, 0); /* it was answered */
    peer_close(&p);
}

static void there_is_a_limit_of_connections(void **state)
{
    (void)state;
    app.limits.max_connections = 2;
    struct peer p = connect_client(), q = connect_client();
    TURN_UNTIL(app.loop, http_server_connections(app.server) == 2);
    struct peer r = connect_client();
    TURN_UNTIL(app.loop, peer_ended(&r));
    assert_true(peer_has(&r, "HTTP/1.1 503 Service Unavailable\r\n"));
    assert_true(peer_has(&r, "\r\nRetry-After: 1\r\n"));
    assert_int_equal(app.last_refused, 503);
    peer_close(&p);
    peer_close(&r);
    TURN_UNTIL(app.loop, http_server_connections(app.server) == 1);
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
    TURN_UNTIL(app.loop, app.later != NULL);
    http_server_drain(app.server);
    TURN_UNTIL(app.loop, peer_ended(&idle));
    assert_false(peer_ended(&busy));
    http_respond(app.later, 200, (struct span){0}, SPAN("later"));
    TURN_UNTIL(app.loop, peer_ended(&busy));
    assert_true(peer_has(&busy, "Connection: close\r\n"));
    assert_true(peer_has(&busy, "\r\n\r\nlater"));
    peer_close(&idle);
    peer_close(&busy);
    TURN_UNTIL(app.loop, http_server_connections(app.server) == 0);
}

static void a_dismissed_client_has_one_more_answer(void **state)
{
    (void)state;
    struct peer idle = connect_client(), late = connect_client();
    peer_send(&idle, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    until_text(&idle, "\r\n\r\nnow");
    http_server_dismiss(app.server);
    loop_turn(app.loop, 0);
    assert_false(peer_ended(&idle));
    peer_send(&idle, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    peer_send(&late, "GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    TURN_UNTIL(app.loop, peer_ended(&idle) && peer_ended(&late));
    assert_true(peer_has(&idle, "Connection: close\r\n"));
    assert_true(peer_has(&late, "\r\n\r\nnow"));
    peer_close(&idle);
    peer_close(&late);
    TURN_UNTIL(app.loop, http_server_connections(app.server) == 0);
}

static void a_freed_server_calls_nobody(void **state)
{
    (void)state;
    struct peer p = connect_client(), q = connect_client();
    peer_send(&p, "GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    peer_send(&q, "GET /no");
    TURN_UNTIL(app.loop, app.later != NULL);
    http_server_free(app.server);
    TURN_UNTIL(app.loop, peer_ended(&p) && peer_ended(&q));
    assert_int_equal(app.gone, 0);
    assert_int_equal(app.begun, 1);
    app.server = http_server_new(app.loop, &http_app, &app, &app.limits, SPAN(""));
    peer_close(&p);
    peer_close(&q);
    listener_close(app.listener);
    app.listener = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bad_requests_are_refused),
        TEST(what_the_application_calls_its_own_is_refused_with_a_problem),
        TEST(a_proxy_header_where_none_belongs_is_told_of),
        TEST(an_upload_that_is_refused_still_sees_the_answer),
        TEST(each_phase_has_its_time),
        TEST(a_slow_application_and_a_paused_body_are_no_timeout),
        TEST(half_a_connection_still_gets_its_answer),
        TEST(half_a_connection_that_takes_nothing_is_gone_in_the_end),
        TEST(a_client_that_breaks_off_is_told_as_gone),
        TEST(answers_that_are_not_taken_end_the_connection),
        TEST(there_is_a_limit_of_connections),
        TEST(a_drain_closes_the_idle_and_lets_the_others_finish),
        TEST(a_dismissed_client_has_one_more_answer),
        TEST(a_freed_server_calls_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
