/* Calls that share a connection, against a server whose every byte the test says. */
#include "common/net/http_client.h"

#include "tests/unit/common/net/scripted.h"

enum { DEPTH = 4 };

static struct loop *loop;
static struct scripted server;
static struct http_pool *pool;
static struct http_pool_settings settings;
static struct buf told; /* in order: `a:200[body]end `, `b:failed: not found ` */

struct named {
    const char *name;
    struct http_call *call;
    struct http_call *cancel_at_head;
    bool frees_pool, shares_at_end;
};
static struct named a, b, c, d, e;

static void share(struct named *n);

static void on_head(void *ctx, const struct http_head *h)
{
    struct named *n = ctx;
    buf_addf(&told, "%s:%d[", n->name, h->status);
    if (n->cancel_at_head != NULL)
        http_call_cancel(n->cancel_at_head);
}

static void on_body(void *ctx, struct span part)
{
    (void)ctx;
    buf_add_span(&told, part);
}

static void on_end(void *ctx)
{
    struct named *n = ctx;
    BUF_ADD_LIT(&told, "]end ");
    if (n->shares_at_end)
        share(&e);
}

static void on_failed(void *ctx, enum err why)
{
    struct named *n = ctx;
    buf_addf(&told, "%s:failed: %s ", n->name, err_text(why));
    if (n->frees_pool)
        http_pool_free(pool);
    if (n->cancel_at_head != NULL)
        http_call_cancel(n->cancel_at_head);
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
                                           .high_water = 64 * 1024,
                                           .depth = DEPTH};
    loop = loop_new();
    scripted_start(&server, loop);
    pool = http_pool_new(loop, &server.origin, &settings);
    a = (struct named){.name = "a"};
    b = (struct named){.name = "b"};
    c = (struct named){.name = "c"};
    d = (struct named){.name = "d"};
    e = (struct named){.name = "e"};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (pool != NULL)
        http_pool_free(pool);
    scripted_stop(&server);
    loop_turn(loop, 0);
    loop_free(loop);
    buf_clear(&told);
    return 0;
}

static void share_kind(struct named *n, uint64_t kind)
{
    struct buf head = {0};
    buf_addf(&head, "POST /%s HTTP/1.1\r\n", n->name);
    n->call = http_pool_share(pool, buf_span(&head), span_str(n->name), kind, &ops, n);
    buf_clear(&head);
}

static void share(struct named *n)
{
    share_kind(n, 1);
}

/* The i-th connection, once this is the end of what has come by it. */
static struct scripted_conn *heard(size_t i, const char *end)
{
    struct scripted_conn *conn = &server.conns[i];
    TURN_UNTIL(loop, server.count > i && span_ends(buf_span(&conn->got), span_str(end)));
    return conn;
}

/* Three calls that one connection has. */
static struct scripted_conn *share_three(void)
{
    share(&a);
    share(&b);
    share(&c);
    return heard(0, "\r\n\r\nc");
}

static void expect_told(const char *text)
{
    TURN_UNTIL(loop, told.len >= strlen(text));
    buf_add_char(&told, '\0');
    assert_string_equal(told.data, text);
    buf_reset(&told);
}

#define ANSWER(text) "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" text

static void requests_go_out_together_and_answers_come_in_their_order(void **state)
{
    static const char answers[] = ANSWER(
        "1") "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n2\r\n0\r\n\r\n" ANSWER("3");
    struct buf sent = {0};
    (void)state;
    for (size_t step = sizeof answers - 1; step > 0; step = step == 1 ? 0 : 1) {
        const struct scripted_conn *conn = share_three();
        buf_reset(&sent);
        for (const char *name = "abc"; *name != '\0'; name++)
            buf_addf(&sent, "POST /%c HTTP/1.1\r\nHost: %s\r\nContent-Length: 1\r\n\r\n%c", *name,
                     server.origin.text, *name);
        assert_true(span_eq(buf_span(&conn->got), buf_span(&sent)));
        buf_reset(&server.conns[0].got);
        for (size_t at = 0; at < sizeof answers - 1; at += step) {
            conn_write(&server.conns[0].conn, answers + at, step);
            loop_turn(loop, 0);
        }
        expect_told("a:200[1]end b:200[2]end c:200[3]end ");
    }
    assert_int_equal(server.count, 1); /* kept */
    buf_clear(&sent);
}

static void another_kind_has_another_connection(void **state)
{
    (void)state;
    share_kind(&a, 1);
    share_kind(&b, 2);
    share_kind(&c, 1);
    (void)heard(0, "\r\n\r\nc");
    (void)heard(1, "\r\n\r\nb");
    scripted_say(&server.conns[1], ANSWER("2")); /* the other is not waited for */
    expect_told("b:200[2]end ");
    scripted_say(&server.conns[0], ANSWER("1") ANSWER("3"));
    expect_told("a:200[1]end c:200[3]end ");
}

static void call_of_its_own_is_not_put_behind_others(void **state)
{
    (void)state;
    (void)share_three();
    d.call = http_pool_call(pool, SPAN("GET /d HTTP/1.1\r\n"), HTTP_BODY_NO, &ops, &d);
    scripted_say(heard(1, "\r\n\r\n"), ANSWER("4"));
    expect_told("d:200[4]end ");
    share(&d); /* that connection is not theirs */
    (void)heard(0, "\r\n\r\nd");
}

static void so_many_share_one_and_no_more(void **state)
{
    (void)state;
    (void)share_three();
    share(&d);
    share(&e);
    (void)heard(0, "\r\n\r\nd");
    (void)heard(1, "\r\n\r\ne");
}

static void without_depth_nobody_shares(void **state)
{
    (void)state;
    settings.depth = 0;
    share(&a);
    share(&b);
    (void)heard(0, "\r\n\r\na");
    (void)heard(1, "\r\n\r\nb");
}

static void nothing_is_put_behind_one_that_is_slow(void **state)
{
    (void)state;
    struct scripted_conn *slow = share_three();
    for (int64_t end = clock_mono_ms() + HTTP_HOLD_MS + 20; clock_mono_ms() < end;)
        loop_turn(loop, 5);
    share(&d);
    scripted_say(heard(1, "\r\n\r\nd"), ANSWER("4"));
    expect_told("d:200[4]end ");
    scripted_say(slow, ANSWER("1") ANSWER("2") ANSWER("3"));
    expect_told("a:200[1]end b:200[2]end c:200[3]end ");
}

static void silence_is_a_timeout_of_all(void **state)
{
    (void)state;
    settings.answer_ms = 20;
    (void)share_three();
    expect_told("a:failed: timed out b:failed: timed out c:failed: timed out ");
}

static void break_in_the_middle_fails_those_that_are_left(void **state)
{
    (void)state;
    struct scripted_conn *conn = share_three();
    scripted_say(conn, ANSWER("1") "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    conn_close(&conn->conn);
    expect_told("a:200[1]end b:200[halfb:failed: input/output failed "
                "c:failed: input/output failed ");
    assert_false(http_pool_is_busy(pool));
}

static void answer_that_is_none_fails_those_that_are_left(void **state)
{
    (void)state;
    scripted_say(share_three(), ANSWER("1") "nonsense\r\n\r\n" ANSWER("3"));
    expect_told("a:200[1]end b:failed: malformed c:failed: malformed ");
}

static void who_was_not_sent_is_told_so(void **state)
{
    (void)state;
    listener_close(server.listener);
    server.listener = NULL;
    share(&a);
    share(&b);
    expect_told("a:failed: not found b:failed: not found ");
}

static void what_comes_behind_a_close_was_not_obeyed(void **state)
{
    (void)state;
    struct scripted_conn *conn = share_three();
    scripted_say(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1");
    expect_told("a:200[1]end b:failed: not found c:failed: not found ");
    share(&d);
    (void)heard(1, "\r\n\r\nd");
}

static void nothing_is_put_behind_a_close(void **state)
{
    (void)state;
    struct scripted_conn *conn = share_three();
    scripted_say(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n");
    TURN_UNTIL(loop, told.len == strlen("a:200["));
    share(&d);
    (void)heard(1, "\r\n\r\nd");
}

static void answer_until_the_end_is_the_last(void **state)
{
    (void)state;
    struct scripted_conn *conn = share_three();
    scripted_say(conn, "HTTP/1.1 200 OK\r\n\r\nall");
    conn_close(&conn->conn);
    expect_told("a:200[all]end b:failed: not found c:failed: not found ");
}

static void cancelled_call_keeps_its_place_and_its_answer_is_dropped(void **state)
{
    (void)state;
    struct scripted_conn *conn = share_three();
    http_call_cancel(b.call);
    scripted_say(conn, ANSWER("1") ANSWER("2") ANSWER("3"));
    expect_told("a:200[1]end c:200[3]end ");
    buf_reset(&conn->got);
    share(&d); /* the connection is as good as before */
    scripted_say(heard(0, "\r\n\r\nd"), ANSWER("4"));
    expect_told("d:200[4]end ");
}

static void call_may_be_cancelled_at_its_own_head(void **state)
{
    (void)state;
    struct scripted_conn *conn = share_three();
    a.cancel_at_head = a.call;
    b.cancel_at_head = c.call;
    scripted_say(conn, ANSWER("1") ANSWER("2") ANSWER("3"));
    expect_told("a:200[b:200[2]end ");
    TURN_UNTIL(loop, !http_pool_is_busy(pool));
}

static void connection_goes_when_nobody_wants_its_answers(void **state)
{
    (void)state;
    const struct scripted_conn *conn = share_three();
    http_call_cancel(a.call);
    http_call_cancel(c.call);
    http_call_cancel(b.call);
    TURN_UNTIL(loop, !conn->open);
    assert_int_equal(told.len, 0);
    assert_false(http_pool_is_busy(pool));
}

static void who_cancels_before_the_connection_is_there_is_not_sent(void **state)
{
    (void)state;
    share(&a);
    share(&b);
    http_call_cancel(a.call);
    assert_false(scripted_has(heard(0, "\r\n\r\nb"), "POST /a"));
    scripted_say(&server.conns[0], ANSWER("2"));
    expect_told("b:200[2]end ");
}

static void failed_call_may_cancel_others(void **state)
{
    (void)state;
    struct scripted_conn *conn = share_three();
    a.cancel_at_head = b.call;
    conn_close(&conn->conn);
    expect_told("a:failed: input/output failed c:failed: input/output failed ");
}

static void failed_call_may_free_the_pool(void **state)
{
    (void)state;
    struct scripted_conn *conn = share_three();
    a.frees_pool = true;
    conn_close(&conn->conn);
    expect_told("a:failed: input/output failed ");
    pool = NULL;
}

static void ended_call_may_start_another(void **state)
{
    (void)state;
    a.shares_at_end = true;
    share(&a);
    scripted_say(heard(0, "\r\n\r\na"), ANSWER("1"));
    scripted_say(heard(0, "\r\n\r\ne"), ANSWER("5"));
    expect_told("a:200[1]end e:200[5]end ");
}

static void answer_that_nobody_asked_for_ends_the_connection(void **state)
{
    (void)state;
    a.shares_at_end = true; /* not by it */
    share(&a);
    scripted_say(heard(0, "\r\n\r\na"), ANSWER("1") ANSWER("2"));
    scripted_say(heard(1, "\r\n\r\ne"), ANSWER("5"));
    expect_told("a:200[1]end e:200[5]end ");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_go_out_together_and_answers_come_in_their_order),
        TEST(another_kind_has_another_connection),
        TEST(call_of_its_own_is_not_put_behind_others),
        TEST(so_many_share_one_and_no_more),
        TEST(without_depth_nobody_shares),
        TEST(nothing_is_put_behind_one_that_is_slow),
        TEST(silence_is_a_timeout_of_all),
        TEST(break_in_the_middle_fails_those_that_are_left),
        TEST(answer_that_is_none_fails_those_that_are_left),
        TEST(who_was_not_sent_is_told_so),
        TEST(what_comes_behind_a_close_was_not_obeyed),
        TEST(nothing_is_put_behind_a_close),
        TEST(answer_until_the_end_is_the_last),
        TEST(cancelled_call_keeps_its_place_and_its_answer_is_dropped),
        TEST(call_may_be_cancelled_at_its_own_head),
        TEST(connection_goes_when_nobody_wants_its_answers),
        TEST(who_cancels_before_the_connection_is_there_is_not_sent),
        TEST(failed_call_may_cancel_others),
        TEST(failed_call_may_free_the_pool),
        TEST(ended_call_may_start_another),
        TEST(answer_that_nobody_asked_for_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
