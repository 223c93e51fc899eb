/* The connection to Redis, against servers whose every byte the test says. */
#include "common/net/redis.h"

#include "common/base/log.h"
#include "common/proto/redis_url.h"
#include "tests/unit/common/net/scripted.h"

#define MASTER  "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
#define REPLICA "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:0\r\n"
#define GOOD    MASTER "+PONG\r\n"
#define LOGIN   "*1\r\n$4\r\nROLE\r\n*1\r\n$4\r\nPING\r\n"
enum { LONG_MS = 4000, SHORT_MS = 250 };

static struct loop *loop;
static struct scripted server, other;
static struct redis_url url;
static struct redis_settings settings;
static struct redis_stats stats;
static struct redis *redis;
static struct buf told; /* what the callbacks heard */
static struct buf logged;

/* ---- hearing ---- */

static void add_answer(const struct redis_answer *a)
{
    switch (a->type) {
    case REDIS_NIL:
        BUF_ADD_LIT(&told, "nil");
        break;
    case REDIS_INTEGER:
        buf_add_i64(&told, a->integer);
        break;
    case REDIS_ERROR:
        buf_add_char(&told, '-');
        buf_add_span(&told, a->text);
        break;
    case REDIS_TEXT:
        buf_add_span(&told, a->text);
        break;
    case REDIS_LIST:
        for (size_t i = 0; i < a->count; i++) {
            struct redis_answer item = redis_item(a, i);
            buf_add_char(&told, i == 0 ? '[' : ' ');
            add_answer(&item);
        }
        buf_add_char(&told, ']');
    }
}

/* Notes `name:answer` or `name:error`, with both where both came. */
static void on_done(void *ctx, enum err e, const struct redis_answer *a)
{
    buf_addf(&told, "%s:", (const char *)ctx);
    if (e != ERR_OK)
        buf_addf(&told, "%s", err_text(e));
    if (a != NULL)
        add_answer(a);
    buf_add_char(&told, ' ');
}

static void on_up(void *ctx)
{
    (void)ctx;
    BUF_ADD_LIT(&told, "up ");
}

static void on_down(void *ctx)
{
    (void)ctx;
    BUF_ADD_LIT(&told, "down ");
}

static void on_log(const char *line, size_t len)
{
    buf_add(&logged, line, len);
}

static bool has(const struct buf *b, const char *text)
{
    return b->len > 0 && memmem(b->data, b->len, text, strlen(text)) != NULL;
}

static void assert_told(const char *expected)
{
    if (!span_eq(buf_span(&told), span_str(expected)))
        fail_msg("told \"%.*s\", not \"%s\"", SPAN_ARG(buf_span(&told)), expected);
    buf_reset(&told);
}

static void assert_got(struct scripted_conn *c, const char *expected)
{
    if (!span_eq(buf_span(&c->got), span_str(expected)))
        fail_msg("got \"%.*s\", not \"%s\"", SPAN_ARG(buf_span(&c->got)), expected);
    buf_reset(&c->got);
}

/* ---- doing ---- */

static int set_up(void **state)
{
    (void)state;
    log_open("test", LOG_INFO, LOG_JSON);
    log_capture(on_log);
    loop = loop_new();
    scripted_start(&server, loop);
    scripted_start(&other, loop);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (redis != NULL)
        redis_free(redis);
    redis = NULL;
    scripted_stop(&server);
    scripted_stop(&other);
    loop_turn(loop, 0);
    loop_free(loop);
    redis_url_clear(&url);
    buf_clear(&told);
    buf_clear(&logged);
    log_capture(NULL);
    stats = (struct redis_stats){.up = 0};
    return 0;
}

static void start_url(const char *text, int64_t timeout_ms)
{
    static const struct redis_events events = {.up = on_up, .down = on_down};
    const char *why = NULL;
    if (redis_url_parse(span_str(text), &url, &why) != ERR_OK)
        fail_msg("%s", why);
    settings = (struct redis_settings){.url = &url, .timeout_ms = timeout_ms};
    redis = redis_new(loop, &settings, &events, &stats);
}

/* The address of the server stands between the two. */
static void start(const char *before, const char *after, int64_t timeout_ms)
{
    char text[128];
    (void)snprintf(text, sizeof text, "%s%s%s", before, server.origin.text, after);
    start_url(text, timeout_ms);
}

/* Waits for the n-th connection to say the last of its questions, and answers them. */
static struct scripted_conn *login(struct scripted *s, size_t n, const char *last,
                                   const char *answers)
{
    TURN_UNTIL(loop, s->count > n && scripted_has(&s->conns[n], last));
    scripted_say(&s->conns[n], answers);
    return &s->conns[n];
}

static struct scripted_conn *up(size_t n)
{
    struct scripted_conn *c = login(&server, n, "PING\r\n", GOOD);
    TURN_UNTIL(loop, redis_is_up(redis));
    buf_reset(&c->got);
    return c;
}

static void command(const char *name)
{
    const struct span words[] = {span_str(name)};
    redis_command(redis, words, 1,
                  &(struct redis_call){.done = on_done, .ctx = (void *)(uintptr_t)name});
}

static void eval(struct redis_script *script, const char *name)
{
    const struct span words[] = {span_str(name)};
    redis_eval(redis, script, words, 1,
               &(struct redis_call){.done = on_done, .ctx = (void *)(uintptr_t)name});
}

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
        TEST(answers_come_in_order_and_of_every_type),
        TEST(answers_in_single_bytes_are_answers),
        TEST(without_a_connection_commands_fail_later_and_in_peace),
        TEST(commands_under_way_are_counted_and_limited),
        TEST(who_frees_it_hears_no_more),
        TEST(it_logs_in_and_selects_before_it_asks),
        TEST(a_password_without_a_user_is_one_word),
        TEST(servers_that_do_not_serve_are_refused_by_name),
        TEST(an_endless_answer_is_cut_off),
        TEST(silence_while_logging_in_has_an_end),
        TEST(it_tries_until_somebody_is_there),
        TEST(a_server_that_stops_serving_is_left),
        TEST(errors_that_another_server_would_give_too_are_only_answers),
        TEST(silence_is_a_timeout_and_late_answers_go_nowhere),
        TEST(half_an_answer_is_a_timeout_too),
        TEST(a_deadline_is_that_of_the_oldest_command),
        TEST(nonsense_and_answers_to_nothing_end_the_connection),
        TEST(the_server_tells_a_script_its_digest),
        TEST(a_script_that_the_server_forgot_goes_before_all_that_is_new),
        TEST(scripts_that_wait_are_told_of_the_end),
        TEST(a_sentinel_names_the_master),
        TEST(sentinels_that_know_nothing_good_are_passed_over),
        TEST(a_master_that_is_dead_or_none_sends_it_to_the_next_sentinel),
        TEST(a_silent_sentinel_costs_one_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
