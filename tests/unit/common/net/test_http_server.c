/* Requests, answers and their bodies. */
#include "http_app.h"

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
    TURN_UNTIL(app.loop, http_server_connections(app.server) == 0);
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
    TURN_UNTIL(app.loop, peer_count(&p, "\r\n\r\nnow") == 2);
    peer_close(&p);
}

static void a_request_waits_for_the_answer_before_it(void **state)
{
    (void)state;
    struct peer p = connect_client();
    peer_send(&p, "GET /later HTTP/1.1\r\nHost: x\r\nX-Name: value\r\n\r\n"
                  "GET /now HTTP/1.1\r\nHost: x\r\n\r\nGET /later HTTP/1.1\r\nHost: y\r\n\r\n");
    TURN_UNTIL(app.loop, app.later != NULL);
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
    TURN_UNTIL(app.loop, app.later != NULL);
    assert_int_equal(app.begun, 3);
    assert_true(span_eq(http_head_get(app.later->head, SPAN("host")), SPAN("y")));
    http_respond(app.later, 404, (struct span){0}, SPAN("last"));
    until_text(&p, "last");
    TURN_UNTIL(app.loop, peer_count(&p, "\r\n\r\nnow") == 2);
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
    TURN_UNTIL(app.loop, (send_some(&p, requests.data, requests.len, &sent), peer_pump(&p),
                          app.begun == REQUESTS));
    size_t one = (size_t)(strstr(p.in.data, "now") + 3 - p.in.data);
    TURN_UNTIL(app.loop, peer_len(&p) == one * REQUESTS);
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
        TURN_UNTIL(app.loop, app.later != NULL);
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
    TURN_UNTIL(app.loop, app.later != NULL);
    http_respond_part(app.later, SPAN("first"));
    http_respond_abort(app.later);
    TURN_UNTIL(app.loop, peer_ended(&p));
    assert_true(peer_has(&p, "first"));
    assert_false(peer_has(&p, "0\r\n\r\n"));
    peer_close(&p);

    p = connect_client();
    app.later = NULL;
    peer_send(&p, "GET /stream HTTP/1.0\r\n\r\n");
    TURN_UNTIL(app.loop, app.later != NULL);
    http_respond_abort(app.later);
    TURN_UNTIL(app.loop, peer_ended(&p));
    assert_true(p.reset); /* an end would look like the answer's */
    peer_close(&p);

    p = connect_client();
    app.later = NULL;
    peer_send(&p, "GET /long HTTP/1.1\r\nHost: x\r\n\r\n");
    TURN_UNTIL(app.loop, app.later != NULL);
    http_respond_part(app.later, SPAN("123"));
    http_respond_end(app.later); /* 10 were announced */
    TURN_UNTIL(app.loop, peer_ended(&p));
    assert_true(peer_has(&p, "Content-Length: 10\r\n\r\n123"));
    peer_close(&p);
    assert_int_equal(app.gone, 0);
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
    TURN_UNTIL(app.loop, (send_some(&p, body, SIZE, &sent), app.body.len == SIZE));
    assert_memory_equal(app.body.data, body, SIZE);
    TURN_UNTIL(app.loop, app.complete == 1);
    http_respond(app.later, 200, (struct span){0}, span_of(body, SIZE));
    TURN_UNTIL(app.loop, peer_len(&p) > SIZE);
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
    TURN_UNTIL(app.loop, app.later != NULL);
    static const char part[10000];
    size_t parts = 0;
    for (int quiet = 0; quiet < 20; quiet++) {
        for (; !http_exchange_is_full(app.later); parts++, quiet = 0)
            http_respond_part(app.later, span_of(part, sizeof part));
        loop_turn(app.loop, 1);
    }
    size_t before = app.drained;
    TURN_UNTIL(app.loop, (peer_pump(&p), app.drained > before));
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
    TURN_UNTIL(app.loop, peer_ended(&p));
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
    TURN_UNTIL(app.loop, peer_count(&p, "\r\n\r\nnow") == 2);
    peer_send(&p, "POST /now HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab");
    TURN_UNTIL(app.loop, peer_count(&p, "\r\n\r\nnow") == 3);
    peer_send(&p, "c\r\n0\r\n\r\nGET /now HTTP/1.1\r\nHost: x\r\n\r\n");
    TURN_UNTIL(app.loop, peer_count(&p, "\r\n\r\nnow") == 4);
    assert_int_equal(app.body.len, 0);
    assert_int_equal(app.complete, 0);
    peer_forget(&p);
    peer_send(&p, "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n12345");
    TURN_UNTIL(app.loop, peer_ended(&p));
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
    TURN_UNTIL(app.loop, peer_count(&p, "HTTP/1.1 403") == 2);
    assert_int_equal(app.complete, 0);
    peer_close(&p);
}

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
        TEST(a_large_body_arrives_and_can_be_held_back),
        TEST(a_streamed_answer_knows_when_it_is_full),
        TEST(the_client_is_told_to_continue_when_the_body_is_wanted),
        TEST(a_body_that_nobody_reads_is_dropped_if_it_is_small),
        TEST(an_answer_inside_the_body_ends_the_callbacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
