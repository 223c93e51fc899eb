/* The HTTP client against a server whose every byte the test says. */
#include "common/net/http_client.h"

#include "tests/unit/common/net/scripted.h"

static struct loop *loop;
static struct scripted server;
static struct http_pool *pool;

static struct http_pool_settings settings;

/* What a call was told, as text: `200[body]end`, `failed:io`. */
struct heard {
    struct buf text;
    size_t ends;
    struct http_call *cancel_at_head, *pause_at_body;
};

static void on_head(void *ctx, const struct http_head *h)
{
    struct heard *heard = ctx;
    buf_addf(&heard->text, "%d[", h->status);
    if (heard->cancel_at_head != NULL)
        http_call_cancel(heard->cancel_at_head);
}

static void on_body(void *ctx, struct span part)
{
    struct heard *heard = ctx;
    buf_add_span(&heard->text, part);
    if (heard->pause_at_body != NULL)
        http_call_pause(heard->pause_at_body);
}

static void on_end(void *ctx)
{
    struct heard *heard = ctx;
    BUF_ADD_LIT(&heard->text, "]end");
    heard->ends++;
}

static void on_failed(void *ctx, enum err why)
{
    struct heard *heard = ctx;
    buf_addf(&heard->text, "failed: %s", err_text(why));
    heard->ends++;
}

static const struct http_call_ops ops = {
    .head = on_head, .body = on_body, .end = on_end, .failed = on_failed};

static int set_up(void **state)
{
    (void)state;
    settings = (struct http_pool_settings){.connect_ms = 3000,
                                           .answer_ms = 3000,
                                           .max_idle = 4,
                                           .idle_ms = 3000,
                                           .high_water = 64 * 1024};
    loop = loop_new();
    scripted_start(&server, loop);
    pool = http_pool_new(loop, &server.origin, &settings);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_pool_free(pool);
    scripted_stop(&server);
    loop_turn(loop, 0);
    loop_free(loop);
    return 0;
}

static void expect_heard(struct heard *heard, const char *text)
{
    TURN_UNTIL(loop, heard->ends == 1);
    assert_int_equal(heard->text.len, strlen(text));
    assert_memory_equal(heard->text.data, text, strlen(text));
    buf_clear(&heard->text);
    heard->ends = 0;
}

static struct http_call *get(struct heard *heard)
{
    return http_pool_call(pool, SPAN("GET /a HTTP/1.1\r\nx-a: 1\r\n"), HTTP_BODY_NO, &ops, heard);
}

static struct scripted_conn *connection(size_t n)
{
    TURN_UNTIL(loop, server.count > n);
    return &server.conns[n];
}

#define INTERIM_4                                                                                  \
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 \r\n\r\nHTTP/1.1 103 x\r\n\r\nHTTP/1.1 199\r\n\r\n"
#define INTERIM_16 INTERIM_4 INTERIM_4 INTERIM_4 INTERIM_4

static void answers_are_read_however_they_are_framed(void **state)
{
    static const struct {
        const char *answer, *heard;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200[hello]end"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200[]end"},
        {"HTTP/1.1 204 No Content\r\n\r\n", "204[]end"},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "304[]end"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
         "200[hello]end"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
         "200[x]end"},
        {INTERIM_16 "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "200[x]end"},
        {INTERIM_16 "HTTP/1.1 100 Continue\r\n\r\n", "failed: too large"},
        {"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", "302[]end"},
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "failed: malformed"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "200[failed: malformed"},
        {"nonsense\r\n\r\n", "failed: malformed"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        /* whole, and byte by byte */
        for (size_t step = strlen(rows[i].answer); step > 0; step = step == 1 ? 0 : 1) {
            struct heard heard = {{0}, 0, NULL, NULL};
            server.count = 0;
            http_pool_free(pool);
            pool = http_pool_new(loop, &server.origin, &settings);
            (void)get(&heard);
            struct scripted_conn *c = connection(0);
            TURN_UNTIL(loop, scripted_has(c, "\r\n\r\n"));
            for (size_t at = 0; at < strlen(rows[i].answer); at += step) {
                conn_write(&c->conn, rows[i].answer + at, step);
                loop_turn(loop, 0);
            }
            expect_heard(&heard, rows[i].heard);
            conn_abort(&c->conn);
            TURN_UNTIL(loop, !c->open);
            buf_clear(&c->got);
        }
    }
    server.count = 0;
}

static void a_body_without_length_ends_with_the_connection(void **state)
{
    struct heard heard = {{0}, 0, NULL, NULL};
    (void)state;
    (void)get(&heard);
    struct scripted_conn *c = connection(0);
    TURN_UNTIL(loop, scripted_has(c, "\r\n\r\n"));
    scripted_say(c, "HTTP/1.1 200 OK\r\n\r\nall of it");
    conn_close(&c->conn);
    expect_heard(&heard, "200[all of it]end");
}

static void a_broken_answer_is_a_failure(void **state)
{
    struct heard heard = {{0}, 0, NULL, NULL};
    (void)state;
    (void)get(&heard);
    struct scripted_conn *c = connection(0);
    TURN_UNTIL(loop, scripted_has(c, "\r\n\r\n"));
    scripted_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\npart");
    conn_close(&c->conn);
    expect_heard(&heard, "200[partfailed: input/output failed");
}

static void the_request_is_written_as_it_should_be(void **state)
{
    static const struct {
        const char *head;
        int64_t len;
        const char *sent; /* behind the Host line */
    } rows[] = {
        {"GET /a HTTP/1.1\r\n", HTTP_BODY_NO, "\r\n"},
        {"POST /a HTTP/1.1\r\n", HTTP_BODY_NO, "Content-Length: 0\r\n\r\n"},
        {"POST /a HTTP/1.1\r\n", 6, "Content-Length: 6\r\n\r\nabcdef"},
        {"POST /a HTTP/1.1\r\n", HTTP_BODY_STREAM,
         "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct heard heard = {{0}, 0, NULL, NULL};
        char sent[512];
        struct http_call *call =
            http_pool_call(pool, span_str(rows[i].head), rows[i].len, &ops, &heard);
        if (rows[i].len != HTTP_BODY_NO) {
            http_call_body(call, SPAN("abc"));
            http_call_body(call, SPAN(""));
            http_call_body(call, SPAN("def"));
            http_call_end(call);
        }
        struct scripted_conn *c = connection(0);
        (void)snprintf(sent, sizeof sent, "%sHost: %s\r\n%s", rows[i].head, server.origin.text,
                       rows[i].sent);
        TURN_UNTIL(loop, c->got.len >= strlen(sent));
        assert_int_equal(c->got.len, strlen(sent));
        assert_memory_equal(c->got.data, sent, strlen(sent));
        buf_reset(&c->got);
        scripted_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        expect_heard(&heard, "200[]end");
        assert_int_equal(server.count, 1); /* kept */
    }
}

static void a_connection_that_says_close_is_not_kept(void **state)
{
    struct heard heard = {{0}, 0, NULL, NULL};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        (void)get(&heard);
        struct scripted_conn *c = connection(i);
        TURN_UNTIL(loop, scripted_has(c, "\r\n\r\n"));
        scripted_say(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        expect_heard(&heard, "200[]end");
    }
    assert_int_equal(server.count, 2);
}

/* Both connections' first answer; the second call finds the kept one closed under its hands. */
static void answer_then_close_when_used_again(struct heard *heard)
{
    (void)get(heard);
    struct scripted_conn *c = connection(0);
    TURN_UNTIL(loop, scripted_has(c, "\r\n\r\n"));
    scripted_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect_heard(heard, "200[]end");
    buf_reset(&c->got);
}

static void a_stale_connection_is_replaced_without_a_word(void **state)
{
    struct heard heard = {{0}, 0, NULL, NULL};
    (void)state;
    answer_then_close_when_used_again(&heard);
    (void)get(&heard);
    TURN_UNTIL(loop, scripted_has(&server.conns[0], "\r\n\r\n"));
    conn_abort(&server.conns[0].conn);
    struct scripted_conn *c = connection(1);
    TURN_UNTIL(loop, scripted_has(c, "GET /a HTTP/1.1\r\nx-a: 1\r\n"));
    scripted_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    expect_heard(&heard, "200[ok]end");
}

static void a_post_is_never_sent_twice(void **state)
{
    struct heard heard = {{0}, 0, NULL, NULL};
    (void)state;
    answer_then_close_when_used_again(&heard);
    (void)http_pool_call(pool, SPAN("POST /a HTTP/1.1\r\n"), HTTP_BODY_NO, &ops, &heard);
    TURN_UNTIL(loop, scripted_has(&server.conns[0], "\r\n\r\n"));
    conn_abort(&server.conns[0].conn);
    expect_heard(&heard, "failed: input/output failed");
    assert_int_equal(server.count, 1);
}

static void silence_is_a_timeout(void **state)
{
    struct heard heard = {{0}, 0, NULL, NULL};
    (void)state;
    settings.answer_ms = 20;
    (void)get(&heard);
    expect_heard(&heard, "failed: timed out");
}

static void nobody_listening_is_a_failure(void **state)
{
    struct heard heard = {{0}, 0, NULL, NULL};
    (void)state;
    listener_close(server.listener);
    server.listener = NULL;
    (void)get(&heard);
    expect_heard(&heard, "failed: not found");
}

static void a_cancelled_call_says_nothing_more(void **state)
{
    struct heard heard = {{0}, 0, NULL, NULL};
    (void)state;
    heard.cancel_at_head = get(&heard);
    struct scripted_conn *c = connection(0);
    TURN_UNTIL(loop, scripted_has(c, "\r\n\r\n"));
    scripted_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    TURN_UNTIL(loop, !c->open);
    assert_int_equal(heard.ends, 0);
    assert_int_equal(heard.text.len, strlen("200["));
    buf_clear(&heard.text);
    heard.cancel_at_head = NULL;
    http_call_cancel(get(&heard)); /* while it connects */
    loop_turn(loop, 0);
    assert_int_equal(heard.ends, 0);
}

static void a_paused_answer_waits_and_does_not_time_out(void **state)
{
    struct heard heard = {{0}, 0, NULL, NULL};
    (void)state;
    settings.answer_ms = 30;
    struct http_call *call = get(&heard);
    heard.pause_at_body = call;
    struct scripted_conn *c = connection(0);
    TURN_UNTIL(loop, scripted_has(c, "\r\n\r\n"));
    scripted_say(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    TURN_UNTIL(loop, heard.text.len == strlen("200[abc"));
    scripted_say(c, "3\r\ndef\r\n0\r\n\r\n");
    int64_t until = clock_mono_ms() + 100;
    TURN_UNTIL(loop, clock_mono_ms() > until);
    assert_int_equal(heard.text.len, strlen("200[abc"));
    heard.pause_at_body = NULL;
    http_call_resume(call);
    expect_heard(&heard, "200[abcdef]end");
}

static void a_pause_ends_with_its_answer(void **state)
{
    struct heard heard = {{0}, 0, NULL, NULL};
    (void)state;
    heard.pause_at_body = get(&heard);
    struct scripted_conn *c = connection(0);
    TURN_UNTIL(loop, scripted_has(c, "\r\n\r\n"));
    scripted_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    expect_heard(&heard, "200[abc]end");
    heard.pause_at_body = NULL;
    buf_reset(&c->got);
    (void)get(&heard);
    TURN_UNTIL(loop, scripted_has(c, "\r\n\r\n"));
    scripted_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ndef");
    expect_heard(&heard, "200[def]end");
}

static void a_full_request_queue_says_so_and_drains(void **state)
{
    struct heard heard = {{0}, 0, NULL, NULL};
    (void)state;
    char part[1024];
    memset(part, 'x', sizeof part);
    struct http_call *call =
        http_pool_call(pool, SPAN("POST /a HTTP/1.1\r\n"), HTTP_BODY_STREAM, &ops, &heard);
    for (size_t i = 0; i < 70; i++)
        http_call_body(call, span_of(part, sizeof part));
    assert_true(http_call_is_full(call));
    TURN_UNTIL(loop, !http_call_is_full(call));
    http_call_end(call);
    struct scripted_conn *c = connection(0);
    TURN_UNTIL(loop, scripted_has(c, "\r\n0\r\n\r\n"));
    scripted_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect_heard(&heard, "200[]end");
}

static void a_freed_pool_takes_its_calls_along(void **state)
{
    struct heard heard = {{0}, 0, NULL, NULL};
    (void)state;
    (void)get(&heard);
    (void)get(&heard);
    (void)connection(1);
    (void)get(&heard); /* still resolving */
    http_pool_free(pool);
    loop_turn(loop, 0);
    assert_int_equal(heard.ends, 0);
    pool = http_pool_new(loop, &server.origin, &settings);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_are_read_however_they_are_framed),
        TEST(a_body_without_length_ends_with_the_connection),
        TEST(a_broken_answer_is_a_failure),
        TEST(the_request_is_written_as_it_should_be),
        TEST(a_connection_that_says_close_is_not_kept),
        TEST(a_stale_connection_is_replaced_without_a_word),
        TEST(a_post_is_never_sent_twice),
        TEST(silence_is_a_timeout),
        TEST(nobody_listening_is_a_failure),
        TEST(a_cancelled_call_says_nothing_more),
        TEST(a_paused_answer_waits_and_does_not_time_out),
        TEST(a_pause_ends_with_its_answer),
        TEST(a_full_request_queue_says_so_and_drains),
        TEST(a_freed_pool_takes_its_calls_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
