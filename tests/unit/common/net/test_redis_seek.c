/* Finding the Redis server that serves: logging in, and what Sentinels say. */
#include "common/net/redis_seek.h"

#include "tests/unit/common/net/redis_rig.h"

/* ---- logging in ---- */

static void it_logs_in_and_selects_before_it_asks(void **state)
{
    (void)state;
    start("redis://us%65r:p%3Ass@", "/3", LONG_MS);
    struct scripted_conn *c = login(&server, 0, "PING\r\n", "+OK\r\n+OK\r\n" GOOD);
    assert_got(
        c,
        "*3\r\n$4\r\nAUTH\r\n$4\r\nuser\r\n$4\r\np:ss\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n" LOGIN);
    TURN_UNTIL(loop, redis_is_up(redis));
    assert_true(has(&logged, "redis.up"));
}

static void a_password_without_a_user_is_one_word(void **state)
{
    (void)state;
    start("redis://:secret@", "", LONG_MS);
    struct scripted_conn *c = login(&server, 0, "PING\r\n", "+OK\r\n" GOOD);
    assert_got(c, "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n" LOGIN);
    TURN_UNTIL(loop, redis_is_up(redis));
}

static void servers_that_do_not_serve_are_refused_by_name(void **state)
{
    static const struct {
        const char *answers, *why;
    } rows[] = {
        {"-WRONGPASS invalid secret\r\n", "user or the password is wrong"},
        {"-ERR AUTH <password> called without any password configured\r\n", "asks for no password"},
        {"-ERR unknown command AUTH, with args beginning with: secret\r\n", "it answers ERR"},
        {"+HELLO\r\n-ERR unknown command AUTH, with args: secret\r\n", "it answers ERR"},
        {"-SECRET secret\r\n", "with an error"},
        {"+OK\r\n-NOPERM no\r\n", "it answers NOPERM"},
        {"+OK\r\n-NOAUTH Authentication required.\r\n", "it wants a password"},
        {"+OK\r\n" REPLICA "+PONG\r\n", "it is a replica"},
        {"+OK\r\n" MASTER "-LOADING Redis is loading\r\n", "it answers LOADING"},
        {"+OK\r\n*2\r\n$8\r\nsentinel\r\n*0\r\n+PONG\r\n", "it is a Sentinel"},
        {"+OK\r\n:1\r\n", "not a Redis server"},
        {"+OK\r\n*0\r\n", "not a Redis server"},
        {"HTTP/1.1 400 Bad Request\r\n\r\n", "not a Redis server"},
        {"*2147483647\r\n", "too large"},
        {"*4000000\r\n*4000000\r\n", "too large"},
        {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "not a Redis server"},
        {"$99999999999999999999\r\n", "not a Redis server"},
        {"*-2\r\n", "not a Redis server"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start("redis://:secret@", "", LONG_MS);
        (void)login(&server, server.count, "PING\r\n", rows[i].answers);
        TURN_UNTIL(loop, has(&logged, "redis.unreachable"));
        if (!has(&logged, rows[i].why) || has(&logged, "secret"))
            fail_msg("logged %.*s for %s", SPAN_ARG(buf_span(&logged)), rows[i].answers);
        assert_told("");
        (void)tear_down(NULL);
        (void)set_up(NULL);
    }
}

static void an_endless_answer_is_cut_off(void **state)
{
    char part[4096];
    (void)state;
    memset(part, 'x', sizeof part);
    part[0] = '+';
    start("redis://", "", LONG_MS);
    TURN_UNTIL(loop, server.count == 1 && scripted_has(&server.conns[0], "PING"));
    while (server.conns[0].open) {
        conn_write(&server.conns[0].conn, part, sizeof part);
        loop_turn(loop, 0);
    }
    TURN_UNTIL(loop, has(&logged, "too large"));
}

static void silence_while_logging_in_has_an_end(void **state)
{
    (void)state;
    start("redis://", "", SHORT_MS);
    TURN_UNTIL(loop, has(&logged, "does not answer in time"));
    assert_int_equal(stats.failures, 1);
    TURN_UNTIL(loop, server.count == 2 && !server.conns[0].open);
    (void)up(1);
}

static void it_tries_until_somebody_is_there(void **state)
{
    (void)state;
    start("redis://", "", LONG_MS);
    for (size_t n = 0; n < 4; n++) {
        (void)login(&server, n, "PING\r\n", REPLICA);
        TURN_UNTIL(loop, !server.conns[n].open);
    }
    (void)up(4);
    assert_told("up ");
    assert_int_equal(stats.failures, 4);
    assert_int_equal(stats.connects, 1);
    /* the same reason is logged once */
    char *first = memmem(logged.data, logged.len, "unreachable", 11);
    assert_non_null(first);
    assert_null(
        memmem(first + 1, (size_t)(logged.data + logged.len - first - 1), "unreachable", 11));
}

/* ---- Sentinel ---- */

/* Says that the master is where `s` listens. */
static void say_master(struct scripted_conn *c, const struct scripted *s)
{
    char text[96], port[8];
    (void)snprintf(port, sizeof port, "%u", (unsigned)s->origin.port);
    (void)snprintf(text, sizeof text, "*2\r\n$9\r\n127.0.0.1\r\n$%zu\r\n%s\r\n", strlen(port),
                   port);
    scripted_say(c, text);
}

#define ASKED "*3\r\n$8\r\nSENTINEL\r\n$23\r\nget-master-addr-by-name\r\n$5\r\nworld\r\n"

static void a_sentinel_names_the_master(void **state)
{
    (void)state;
    start("redis+sentinel://:p@", "/world/2", LONG_MS);
    struct scripted_conn *c = login(&server, 0, "world\r\n", "-ERR no password is set\r\n");
    assert_got(c, "*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n" ASKED);
    say_master(c, &other);
    (void)login(&other, 0, "PING\r\n", "+OK\r\n+OK\r\n" GOOD);
    TURN_UNTIL(loop, redis_is_up(redis));
    assert_true(scripted_has(&other.conns[0], "SELECT\r\n$1\r\n2\r\n"));
    assert_true(has(&logged, other.origin.text));
    TURN_UNTIL(loop, !c->open);
}

static void sentinels_that_know_nothing_good_are_passed_over(void **state)
{
    static const char *const answers[] = {
        "*-1\r\n",
        "-IDONTKNOW I have not enough information\r\n",
        "-NOAUTH Authentication required.\r\n",
        "+what\r\n",
        "*2\r\n$3\r\na b\r\n$1\r\n1\r\n",
        "*2\r\n$1\r\na\r\n$0\r\n\r\n",
        "*2\r\n$9\r\n127.0.0.1\r\n$5\r\n99999\r\n",
    };
    (void)state;
    char text[128];
    (void)snprintf(text, sizeof text, "redis+sentinel://%s,%s/world", server.origin.text,
                   other.origin.text);
    start_url(text, LONG_MS);
    for (size_t n = 0; n < sizeof answers / sizeof *answers; n++) {
        struct scripted *s = n % 2 == 0 ? &server : &other;
        struct scripted_conn *c = login(s, n / 2, "world\r\n", answers[n]);
        TURN_UNTIL(loop, !c->open);
    }
    assert_true(has(&logged, "knows no master") && has(&logged, "not a Sentinel"));
    assert_int_equal(stats.failures, sizeof answers / sizeof *answers / 2);
}

static void a_master_that_is_dead_or_none_sends_it_to_the_next_sentinel(void **state)
{
    (void)state;
    char text[128];
    struct scripted dead, replica, master;
    scripted_start(&dead, loop);
    listener_close(dead.listener);
    dead.listener = NULL;
    scripted_start(&replica, loop);
    scripted_start(&master, loop);
    (void)snprintf(text, sizeof text, "redis+sentinel://%s,%s,%s/world", dead.origin.text,
                   server.origin.text, other.origin.text);
    start_url(text, LONG_MS);
    say_master(login(&server, 0, "world\r\n", ""), &dead);
    say_master(login(&other, 0, "world\r\n", ""), &replica);
    (void)login(&replica, 0, "PING\r\n", REPLICA);
    TURN_UNTIL(loop, has(&logged, "redis.unreachable"));
    assert_true(has(&logged, "cannot be reached") && has(&logged, "it is a replica"));
    say_master(login(&server, 1, "world\r\n", ""), &replica);
    (void)login(&replica, 1, "PING\r\n", REPLICA);
    say_master(login(&other, 1, "world\r\n", ""), &master);
    (void)login(&master, 0, "PING\r\n", GOOD);
    TURN_UNTIL(loop, redis_is_up(redis));
    assert_told("up ");
    conn_close(&master.conns[0].conn); /* the one that knew it is asked first */
    TURN_UNTIL(loop, other.count == 3);
    assert_int_equal(server.count, 2);
    redis_free(redis);
    redis = NULL;
    scripted_stop(&dead);
    scripted_stop(&replica);
    scripted_stop(&master);
}

static void a_silent_sentinel_costs_one_timeout(void **state)
{
    (void)state;
    char text[128];
    (void)snprintf(text, sizeof text, "redis+sentinel://%s,%s/world", server.origin.text,
                   other.origin.text);
    start_url(text, SHORT_MS);
    TURN_UNTIL(loop, server.count == 1);
    TURN_UNTIL(loop, other.count == 1 && !server.conns[0].open);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_logs_in_and_selects_before_it_asks),
        TEST(a_password_without_a_user_is_one_word),
        TEST(servers_that_do_not_serve_are_refused_by_name),
        TEST(an_endless_answer_is_cut_off),
        TEST(silence_while_logging_in_has_an_end),
        TEST(it_tries_until_somebody_is_there),
        TEST(a_sentinel_names_the_master),
        TEST(sentinels_that_know_nothing_good_are_passed_over),
        TEST(a_master_that_is_dead_or_none_sends_it_to_the_next_sentinel),
        TEST(a_silent_sentinel_costs_one_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
