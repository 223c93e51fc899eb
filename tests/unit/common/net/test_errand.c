/* Errands to a server whose every byte the test says. */
#include "common/net/errand.h"

#include "tests/unit/common/net/scripted.h"

enum { ANSWER_MAX = 8, TIMEOUT_MS = 5000, SHORT_MS = 30 };
#define HEAD SPAN("POST /x HTTP/1.1\r\n")

static struct loop *loop;
static struct scripted server;
static struct http_pool *pool;

static const struct http_pool_settings pool_settings = {.connect_ms = TIMEOUT_MS,
                                                        .answer_ms = TIMEOUT_MS,
                                                        .max_idle = 1,
                                                        .idle_ms = TIMEOUT_MS,
                                                        .high_water = 64 * 1024};

struct sent {
    struct errand errand;
    size_t ends;
    enum err why;
    int again; /* how often it is still to be sent anew when it is over */
};
static struct sent sent;

static void on_done(struct errand *e, enum err why)
{
    struct sent *s = CONTAINER_OF(e, struct sent, errand);
    s->ends++;
    s->why = why;
    if (s->again-- > 0)
        errand_send(e, loop, pool, HEAD, SPAN("again"), TIMEOUT_MS);
}

static void send_errand(int64_t timeout_ms)
{
    errand_send(&sent.errand, loop, pool, HEAD, SPAN("body"), timeout_ms);
    assert_true(errand_is_under_way(&sent.errand));
}

static int set_up(void **state)
{
    (void)state;
    loop = loop_new();
    scripted_start(&server, loop);
    pool = http_pool_new(loop, &server.origin, &pool_settings);
    sent = (struct sent){.errand = {.done = on_done, .answer_max = ANSWER_MAX}};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    errand_clear(&sent.errand);
    http_pool_free(pool);
    scripted_stop(&server);
    for (int i = 0; i < 3; i++)
        loop_turn(loop, 0);
    loop_free(loop);
    return 0;
}

static void answer_is_kept_until_the_next(void **state)
{
    (void)state;
    send_errand(TIMEOUT_MS);
    TURN_UNTIL(loop, server.count == 1 && scripted_has(&server.conns[0], "\r\n\r\nbody"));
    assert_true(scripted_has(&server.conns[0], "Content-Length: 4\r\n"));
    scripted_say(&server.conns[0], "HTTP/1.1 418 No\r\nContent-Length: 8\r\n\r\n");
    scripted_say(&server.conns[0], "12345678");
    TURN_UNTIL(loop, sent.ends == 1);
    assert_int_equal(sent.why, ERR_OK);
    assert_int_equal(sent.errand.status, 418);
    assert_true(span_eq(buf_span(&sent.errand.answer), SPAN("12345678")));
    assert_false(errand_is_under_way(&sent.errand));
    send_errand(TIMEOUT_MS);
    assert_int_equal(sent.errand.status, 0);
    assert_int_equal(sent.errand.answer.len, 0);
}

static void errand_without_a_body_has_none(void **state)
{
    (void)state;
    errand_send(&sent.errand, loop, pool, SPAN("GET /x HTTP/1.1\r\n"), SPAN(""), TIMEOUT_MS);
    TURN_UNTIL(loop, server.count == 1 && scripted_has(&server.conns[0], "\r\n\r\n"));
    assert_false(scripted_has(&server.conns[0], "Content-Length"));
    scripted_say(&server.conns[0], "HTTP/1.1 204 No\r\n\r\n");
    TURN_UNTIL(loop, sent.ends == 1);
    assert_int_equal(sent.why, ERR_OK);
    assert_int_equal(sent.errand.status, 204);
}

static void answer_that_is_too_long_ends_it(void **state)
{
    (void)state;
    send_errand(TIMEOUT_MS);
    TURN_UNTIL(loop, server.count == 1 && server.conns[0].got.len > 0);
    scripted_say(&server.conns[0], "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n123456789");
    TURN_UNTIL(loop, sent.ends == 1);
    assert_int_equal(sent.why, ERR_FULL);
    assert_int_equal(sent.errand.status, 200);
    TURN_UNTIL(loop, !server.conns[0].open);
    assert_int_equal(sent.ends, 1);
}

static void time_that_is_over_ends_it(void **state)
{
    (void)state;
    send_errand(SHORT_MS);
    TURN_UNTIL(loop, sent.ends == 1);
    assert_int_equal(sent.why, ERR_TIMEOUT);
    TURN_UNTIL(loop, server.count == 1 && !server.conns[0].open);
    assert_int_equal(sent.ends, 1);
}

static void connection_that_breaks_ends_it(void **state)
{
    (void)state;
    send_errand(TIMEOUT_MS);
    TURN_UNTIL(loop, server.count == 1 && server.conns[0].got.len > 0);
    conn_abort(&server.conns[0].conn);
    TURN_UNTIL(loop, sent.ends == 1);
    assert_int_equal(sent.why, ERR_IO);
}

static void errand_to_nobody_is_missing(void **state)
{
    (void)state;
    listener_close(server.listener);
    server.listener = NULL;
    send_errand(TIMEOUT_MS);
    assert_int_equal(sent.ends, 0);
    TURN_UNTIL(loop, sent.ends == 1);
    assert_int_equal(sent.why, ERR_MISSING);
}

static void errand_may_be_sent_anew_when_it_is_over(void **state)
{
    (void)state;
    sent.again = 1;
    send_errand(TIMEOUT_MS);
    TURN_UNTIL(loop, server.count == 1 && server.conns[0].got.len > 0);
    scripted_say(&server.conns[0], "nonsense\r\n\r\n");
    TURN_UNTIL(loop, sent.ends == 1 && server.count == 2);
    assert_int_equal(sent.why, ERR_SYNTAX);
    TURN_UNTIL(loop, scripted_has(&server.conns[1], "again"));
}

static void cleared_errand_is_never_over(void **state)
{
    (void)state;
    send_errand(SHORT_MS);
    TURN_UNTIL(loop, server.count == 1 && server.conns[0].got.len > 0);
    errand_clear(&sent.errand);
    assert_false(errand_is_under_way(&sent.errand));
    for (int64_t end = clock_mono_ms() + 2 * (int64_t)SHORT_MS; clock_mono_ms() < end;)
        loop_turn(loop, 10);
    assert_int_equal(sent.ends, 0);
    errand_clear(&sent.errand);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(answer_is_kept_until_the_next),           TEST(errand_without_a_body_has_none),
        TEST(answer_that_is_too_long_ends_it),         TEST(time_that_is_over_ends_it),
        TEST(connection_that_breaks_ends_it),          TEST(errand_to_nobody_is_missing),
        TEST(errand_may_be_sent_anew_when_it_is_over), TEST(cleared_errand_is_never_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
