/* What is found about Redis. */
#include "world/io/redis/health.h"

#include "common/proto/redis_url.h"
#include "tests/unit/world/io/redis/fake_redis.h"

static struct {
    struct loop *loop;
    struct redis_url url;
    struct findings findings;
    struct health health;
    uint64_t failing;
    int64_t now;
    bool up;
    struct span trouble;
} rig;

bool redis_is_up(const struct redis *r)
{
    (void)r;
    return rig.up;
}

struct span redis_trouble(const struct redis *r)
{
    (void)r;
    return rig.trouble;
}

static int begin(void **state)
{
    const char *why;

    (void)state;
    rig.loop = loop_new();
    assert_int_equal(redis_url_parse(SPAN("redis://cache:6380"), &rig.url, &why), ERR_OK);
    health_init(&rig.health, rig.loop, NULL, &rig.url, &rig.failing, &rig.findings);
    rig.now = loop_now(rig.loop);
    rig.up = true;
    return 0;
}

static int end(void **state)
{
    (void)state;
    health_stop(&rig.health);
    findings_clear(&rig.findings);
    redis_url_clear(&rig.url);
    loop_free(rig.loop);
    fake_clear();
    rig.failing = 0;
    rig.trouble = (struct span){0};
    return 0;
}

static void pass(int64_t ms)
{
    rig.now += ms;
    rig.health.timer.fire(&rig.health.timer, rig.now);
}

static void info(size_t call, struct span text)
{
    const struct redis_answer a = {.type = REDIS_TEXT, .text = text};

    fake_answer(call, ERR_OK, &a);
}

/* "" for none; else its detail, which is not empty. */
static void assert_found(enum finding_check check, const char *detail)
{
    const struct finding *f = findings_get(&rig.findings, check, SPAN("cache:6380"));

    if (*detail == '\0' ? f != NULL : f == NULL || !span_eq(f->detail, span_str(detail)))
        fail_msg("got %.*s", SPAN_ARG(f == NULL ? SPAN("nothing") : f->detail));
}

static void how_it_is_set_is_asked_now_and_then(void **state)
{
    (void)state;
    pass(0);
    assert_int_equal(fake.count, 2);
    assert_string_equal(fake.calls[0].words, "INFO|memory");
    assert_string_equal(fake.calls[1].words, "INFO|persistence");
    pass(HEALTH_ASK_MS); /* it has not answered yet */
    assert_int_equal(fake.count, 2);
    info(0, SPAN("# Memory\r\nmaxmemory:1048576\r\nmaxmemory_policy:allkeys-lru\r\n"));
    info(1, SPAN("# Persistence\r\nloading:0\r\naof_enabled:0\r\naof_rewrite_in_progress:0\r\n"));
    assert_found(FINDING_REDIS_EVICTS, "maxmemory 1048576, maxmemory-policy allkeys-lru");
    assert_found(FINDING_REDIS_FORGETS, "appendonly no");
    pass(HEALTH_ASK_MS);
    assert_int_equal(fake.count, 4);
    info(2, SPAN("maxmemory:1048576\r\nmaxmemory_policy:noeviction\r\n"));
    info(3, SPAN("aof_enabled:1\r\n"));
    assert_int_equal(rig.findings.count, 0);
    pass(HEALTH_TICK_MS);
    assert_int_equal(fake.count, 4);
}

static void what_has_no_limit_evicts_nothing(void **state)
{
    (void)state;
    pass(0);
    info(0, SPAN("maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n"));
    info(1, SPAN("nothing that is known\r\n"));
    assert_int_equal(rig.findings.count, 0);
}

static void one_that_refuses_is_not_judged(void **state)
{
    const struct redis_answer no = {.type = REDIS_ERROR, .text = SPAN("NOPERM no permissions")};

    (void)state;
    pass(0);
    fake_answer(0, ERR_OK, &no);
    fake_answer(1, ERR_IO, NULL);
    pass(HEALTH_ASK_MS);
    assert_int_equal(fake.count, 2);
    assert_int_equal(rig.findings.count, 0);
    health_up(&rig.health);
    pass(HEALTH_TICK_MS);
    assert_int_equal(fake.count, 4);
}

static void one_that_is_away_is_found_after_a_while(void **state)
{
    (void)state;
    rig.up = false;
    rig.trouble = SPAN("cache:6380: refused");
    pass(0);
    pass(HEALTH_DOWN_MS - 1);
    assert_int_equal(rig.findings.count, 0);
    pass(1);
    assert_found(FINDING_REDIS_UNREACHABLE, "cache:6380: refused");
    rig.up = true;
    pass(HEALTH_TICK_MS);
    assert_found(FINDING_REDIS_UNREACHABLE, "");
}

static void a_replica_takes_no_writes(void **state)
{
    (void)state;
    rig.up = false;
    rig.trouble = SPAN("cache:6380: it is a replica, not the master");
    pass(0);
    pass(HEALTH_DOWN_MS);
    assert_found(FINDING_REDIS_UNREACHABLE, "");
    assert_found(FINDING_REDIS_READ_ONLY, "cache:6380: it is a replica, not the master");
    rig.up = true;
    pass(HEALTH_TICK_MS);
    health_wrote(&rig.health);
    assert_int_equal(rig.findings.count, 0);
}

static void errors_say_what_it_does_not_do(void **state)
{
    static const char *const read_only[] = {
        "READONLY You can't write against a read only replica.",
        "NOREPLICAS Not enough good replicas to write.",
        "ERR Error running script (call to f_1): @user_script:3: -MISCONF Redis is configured",
    };

    (void)state;
    for (size_t i = 0; i < sizeof read_only / sizeof *read_only; i++) {
        health_refused(&rig.health, span_str(read_only[i]));
        assert_found(FINDING_REDIS_READ_ONLY, read_only[i]);
        pass(HEALTH_TICK_MS);
        health_wrote(&rig.health);
        assert_found(FINDING_REDIS_READ_ONLY, "");
    }
    health_refused(&rig.health, SPAN("WRONGTYPE Operation against a key"));
    assert_int_equal(rig.findings.count, 0);
    health_refused(&rig.health, SPAN("OOM command not allowed when used memory > 'maxmemory'."));
    pass(HEALTH_TICK_MS);
    assert_found(FINDING_STORE, "Redis is full (OOM)");
    health_wrote(&rig.health);
    pass(HEALTH_TICK_MS);
    assert_int_equal(rig.findings.count, 0);
}

static void commits_that_keep_failing_are_found(void **state)
{
    (void)state;
    rig.failing = 1;
    pass(HEALTH_TICK_MS);
    assert_int_equal(rig.findings.count, 0);
    pass(HEALTH_TICK_MS);
    assert_found(FINDING_STORE, "Redis refuses what is to be stored");
    rig.failing = 0;
    pass(HEALTH_TICK_MS);
    assert_int_equal(rig.findings.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(how_it_is_set_is_asked_now_and_then, begin, end),
        cmocka_unit_test_setup_teardown(what_has_no_limit_evicts_nothing, begin, end),
        cmocka_unit_test_setup_teardown(one_that_refuses_is_not_judged, begin, end),
        cmocka_unit_test_setup_teardown(one_that_is_away_is_found_after_a_while, begin, end),
        cmocka_unit_test_setup_teardown(a_replica_takes_no_writes, begin, end),
        cmocka_unit_test_setup_teardown(errors_say_what_it_does_not_do, begin, end),
        cmocka_unit_test_setup_teardown(commits_that_keep_failing_are_found, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
