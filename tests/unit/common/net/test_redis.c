/* Commands and scripts on the connection to Redis, and what ends it. */
#include "common/net/redis.h"

#include "tests/unit/common/net/redis_rig.h"

/* ---- commands ---- */

static void answers_come_in_order_and_of_every_type(void **state)
{
    (void)state;
    start("redis://", "", LONG_MS);
    struct scripted_conn *c = up(0);
    assert_told("up ");
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    for (size_t i = 0; i < 6; i++)
        command(names[i]);
    assert_told("");
    TURN_UNTIL(loop, scripted_has(c, "f\r\n"));
    scripted_say(
        c, "+OK\r\n:-7\r\n$-1\r\n$5\r\nx\r\n y\r\n*3\r\n*1\r\n:1\r\n*-1\r\n$0\r\n\r\n-ERR no\r\n");
    TURN_UNTIL(loop, has(&told, "f:"));
    assert_told("a:OK b:-7 c:nil d:x\r\n y e:[[1] nil ] f:-ERR no ");
    assert_int_equal(stats.commands, 6);
    assert_int_equal(stats.errors, 1);
    assert_int_equal(stats.latency.count, 6);
    assert_int_equal(stats.up, 1);
}

static void answers_in_single_bytes_are_answers(void **state)
{
    static const char answer[] = "*2\r\n$3\r\nabc\r\n*2\r\n:12\r\n+s\r\n";
    (void)state;
    start("redis://", "", LONG_MS);
    struct scripted_conn *c = up(0);
    command("a");
    TURN_UNTIL(loop, c->got.len > 0);
    buf_reset(&told);
    for (size_t i = 0; i + 1 < sizeof answer; i++) {
        assert_int_equal(told.len, 0);
        conn_write(&c->conn, answer + i, 1);
        loop_turn(loop, 0);
    }
    TURN_UNTIL(loop, told.len > 0);
    assert_told("a:[abc [12 s]] ");
}

static void again(void *ctx, enum err e, const struct redis_answer *a)
{
    on_done(ctx, e, a);
    redis_command(redis, &SPAN("x"), 1, &(struct redis_call){.done = on_done, .ctx = ctx});
}

static void without_a_connection_commands_fail_later_and_in_peace(void **state)
{
    (void)state;
    start("redis://", "", LONG_MS);
    redis_command(redis, &SPAN("x"), 1, &(struct redis_call){.done = again, .ctx = (void *)"a"});
    assert_told("");
    TURN_UNTIL(loop, told.len > 0);
    assert_told("a:not found "); /* and the next one in another turn */
    TURN_UNTIL(loop, told.len > 0);
    assert_told("a:not found ");
    (void)up(0);
}

static void commands_under_way_are_counted_and_limited(void **state)
{
    (void)state;
    start("redis://", "", LONG_MS);
    struct scripted_conn *c = up(0);
    buf_reset(&told);
    for (size_t i = 0; i < REDIS_UNDER_WAY_MAX; i++)
        command("a");
    command("b");
    TURN_UNTIL(loop, told.len > 0);
    assert_told("b:not found ");
    scripted_say(c, ":1\r\n");
    TURN_UNTIL(loop, told.len > 0);
    assert_told("a:1 ");
    command("c");
    conn_close(&c->conn);
    TURN_UNTIL(loop, has(&told, "down"));
    assert_true(has(&told, "c:input/output failed down "));
}

static void who_frees_it_hears_no_more(void **state)
{
    (void)state;
    start("redis://", "", LONG_MS);
    struct scripted_conn *c = up(0);
    buf_reset(&told);
    command("a");
    TURN_UNTIL(loop, c->got.len > 0);
    command("b");
    redis_free(redis);
    redis = NULL;
    TURN_UNTIL(loop, !c->open);
    assert_told("");
    redis_url_clear(&url);
    start("redis://", "", LONG_MS); /* and in the midst of seeking */
    TURN_UNTIL(loop, server.count == 2);
    command("c");
    redis_free(redis);
    redis = NULL;
    TURN_UNTIL(loop, !server.conns[1].open);
    assert_told("");
}

/* ---- losing ---- */

static void a_server_that_stops_serving_is_left(void **state)
{
    static const char *const codes[] = {"READONLY",   "LOADING", "MASTERDOWN",
                                        "NOREPLICAS", "NOAUTH",  "CLUSTERDOWN"};
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        char answers[64], expected[128];
        start("redis://", "", LONG_MS);
        struct scripted_conn *c = up(0);
        buf_reset(&told);
        command("a");
        command("b");
        command("c");
        TURN_UNTIL(loop, scripted_has(c, "c\r\n"));
        (void)snprintf(answers, sizeof answers, ":1\r\n-%s no\r\n:2\r\n:3\r\n", codes[i]);
        scripted_say(c, answers);
        TURN_UNTIL(loop, has(&told, "down"));
        (void)snprintf(expected, sizeof expected, "a:1 b:denied-%s no c:input/output failed down ",
                       codes[i]);
        assert_told(expected);
        assert_true(has(&logged, "redis.down") && has(&logged, codes[i]));
        (void)up(1); /* the first try is at once */
        assert_told("up ");
        (void)tear_down(NULL);
        (void)set_up(NULL);
    }
}

static void errors_that_another_server_would_give_too_are_only_answers(void **state)
{
    (void)state;
    start("redis://", "", LONG_MS);
    struct scripted_conn *c = up(0);
    buf_reset(&told);
    command("a");
    command("b");
    command("c");
    scripted_say(c, "-MISCONF no disk\r\n-READONLYX\r\n:1\r\n");
    TURN_UNTIL(loop, has(&told, "c:"));
    assert_told("a:-MISCONF no disk b:-READONLYX c:1 ");
    assert_true(redis_is_up(redis));
}

static void silence_is_a_timeout_and_late_answers_go_nowhere(void **state)
{
    (void)state;
    start("redis://", "", SHORT_MS);
    struct scripted_conn *c = up(0);
    buf_reset(&told);
    command("a");
    loop_turn(loop, 5);
    command("b");
    TURN_UNTIL(loop, has(&told, "down"));
    assert_told("a:timed out b:input/output failed down ");
    scripted_say(c, ":1\r\n:2\r\n");
    struct scripted_conn *next = up(1);
    command("c");
    TURN_UNTIL(loop, next->got.len > 0);
    scripted_say(next, ":3\r\n");
    TURN_UNTIL(loop, has(&told, "c:"));
    assert_told("up c:3 ");
    assert_int_equal(stats.timeouts, 1);
}

static void half_an_answer_is_a_timeout_too(void **state)
{
    (void)state;
    start("redis://", "", SHORT_MS);
    struct scripted_conn *c = up(0);
    buf_reset(&told);
    command("a");
    scripted_say(c, "*2\r\n:1\r\n$10\r\nabc");
    TURN_UNTIL(loop, has(&told, "down"));
    assert_told("a:timed out down ");
}

static void a_deadline_is_that_of_the_oldest_command(void **state)
{
    (void)state;
    enum { TIMEOUT_MS = 600 };
    start("redis://", "", TIMEOUT_MS);
    struct scripted_conn *c = up(0);
    buf_reset(&told);
    for (int i = 0; i < 5; i++) { /* together longer than the timeout */
        int64_t end = clock_mono_ms() + TIMEOUT_MS / 4;
        command("a");
        TURN_UNTIL(loop, c->got.len > 0);
        buf_reset(&c->got);
        TURN_UNTIL(loop, clock_mono_ms() >= end);
        scripted_say(c, ":1\r\n");
        TURN_UNTIL(loop, told.len > 0);
        assert_told("a:1 ");
    }
    assert_int_equal(stats.timeouts, 0);
}

static void nonsense_and_answers_to_nothing_end_the_connection(void **state)
{
    static const struct {
        const char *answers, *heard, *why;
    } rows[] = {
        {"nonsense\r\n", "a:input/output failed down ", "not a Redis server"},
        {":1\r\n+and more\r\n", "a:1 down ", "was not asked"},
        {"*2147483647\r\n", "a:input/output failed down ", "too large"},
    };
    (void)state;
    start("redis://", "", LONG_MS);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scripted_conn *c = up(i);
        buf_reset(&told);
        command("a");
        TURN_UNTIL(loop, c->got.len > 0);
        scripted_say(c, rows[i].answers);
        TURN_UNTIL(loop, has(&told, "down"));
        assert_told(rows[i].heard);
        assert_true(has(&logged, rows[i].why));
    }
}

/* ---- scripts ---- */

#define DIGEST    "0123456789abcdef0123456789abcdef01234567"
#define SHA(arg)  "*4\r\n$7\r\nEVALSHA\r\n$40\r\n" DIGEST "\r\n$1\r\n0\r\n$1\r\n" arg "\r\n"
#define EVAL(arg) "*4\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n0\r\n$1\r\n" arg "\r\n"
#define LOAD      "*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$8\r\nreturn 1\r\n"

static void the_server_tells_a_script_its_digest(void **state)
{
    struct redis_script script = {.text = "return 1"};
    (void)state;
    start("redis://", "", LONG_MS);
    struct scripted_conn *c = up(0);
    buf_reset(&told);
    eval(&script, "a");
    TURN_UNTIL(loop, scripted_has(c, "a\r\n"));
    assert_got(c, LOAD EVAL("a"));
    scripted_say(c, "$40\r\n" DIGEST "\r\n:1\r\n");
    TURN_UNTIL(loop, told.len > 0);
    assert_told("a:1 ");
    eval(&script, "b");
    TURN_UNTIL(loop, scripted_has(c, "b\r\n"));
    assert_got(c, SHA("b"));
}

static void a_script_that_the_server_forgot_goes_before_all_that_is_new(void **state)
{
    struct redis_script script = {.text = "return 1", .digest = DIGEST};
    (void)state;
    start("redis://", "", LONG_MS);
    struct scripted_conn *c = up(0);
    buf_reset(&told);
    eval(&script, "a");
    eval(&script, "b");
    command("c");
    TURN_UNTIL(loop, scripted_has(c, "c\r\n"));
    assert_got(c, SHA("a") SHA("b") "*1\r\n$1\r\nc\r\n");
    scripted_say(c, "-NOSCRIPT No matching script\r\n");
    for (int i = 0; i < 5; i++)
        loop_turn(loop, 1);
    eval(&script, "d");
    command("e");
    scripted_say(c, "-NOSCRIPT No matching script\r\n:3\r\n");
    TURN_UNTIL(loop, scripted_has(c, "e\r\n"));
    assert_got(c, EVAL("a") EVAL("b") SHA("d") "*1\r\n$1\r\ne\r\n");
    scripted_say(c, ":1\r\n:2\r\n:4\r\n:5\r\n");
    TURN_UNTIL(loop, has(&told, "e:"));
    assert_told("c:3 a:1 b:2 d:4 e:5 ");
}

static void scripts_that_wait_are_told_of_the_end(void **state)
{
    struct redis_script script = {.text = "return 1", .digest = DIGEST};
    (void)state;
    start("redis://", "", LONG_MS);
    struct scripted_conn *c = up(0);
    buf_reset(&told);
    eval(&script, "a");
    command("b");
    TURN_UNTIL(loop, scripted_has(c, "b\r\n"));
    buf_reset(&c->got);
    scripted_say(c, "-NOSCRIPT no\r\n:1\r\n");
    TURN_UNTIL(loop, scripted_has(c, "EVAL\r\n"));
    scripted_say(c, "-NOSCRIPT from inside the script\r\n");
    TURN_UNTIL(loop, has(&told, "a:"));
    assert_told("b:1 a:-NOSCRIPT from inside the script ");
    eval(&script, "c");
    command("d");
    TURN_UNTIL(loop, scripted_has(c, "d\r\n"));
    scripted_say(c, "-NOSCRIPT no\r\n");
    conn_close(&c->conn);
    TURN_UNTIL(loop, has(&told, "down"));
    assert_told("c:input/output failed d:input/output failed down ");
}

static void what_comes_to_nothing_has_a_reason_for_people(void **state)
{
    const struct redis_answer refusal = {.type = REDIS_ERROR, .text = SPAN("READONLY no")};
    const struct {
        enum err e;
        const struct redis_answer *a;
        const char *why;
    } rows[] = {
        {ERR_MISSING, NULL, "no connection to Redis, or too much under way"},
        {ERR_TIMEOUT, NULL, "Redis did not answer in time"},
        {ERR_IO, NULL, "the connection to Redis failed"},
        {ERR_DENIED, &refusal, "READONLY no"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(span_eq(redis_why(rows[i].e, rows[i].a), span_str(rows[i].why)));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_to_nothing_has_a_reason_for_people),
        TEST(answers_come_in_order_and_of_every_type),
        TEST(answers_in_single_bytes_are_answers),
        TEST(without_a_connection_commands_fail_later_and_in_peace),
        TEST(commands_under_way_are_counted_and_limited),
        TEST(who_frees_it_hears_no_more),
        TEST(a_server_that_stops_serving_is_left),
        TEST(errors_that_another_server_would_give_too_are_only_answers),
        TEST(silence_is_a_timeout_and_late_answers_go_nowhere),
        TEST(half_an_answer_is_a_timeout_too),
        TEST(a_deadline_is_that_of_the_oldest_command),
        TEST(nonsense_and_answers_to_nothing_end_the_connection),
        TEST(the_server_tells_a_script_its_digest),
        TEST(a_script_that_the_server_forgot_goes_before_all_that_is_new),
        TEST(scripts_that_wait_are_told_of_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
