/* Reports on their way to worlds that answer, refuse, dawdle or are not there. */
#include "shard/io/reporter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "tests/unit/shard/io/scripted_world.h"

static const struct secrets secrets = {SPAN_INIT("secret")};

enum { SHARDS = WORLD_HELD_MAX, DEADLINE_MS = 5000 };

static struct loop *loop;
static struct node *node;
static struct ticker ticker;
static struct worlds worlds;
static struct reporter reporter;
static struct world first, second;

/* What core asks for is of no interest here; what it is told is seen in its statistics. */
static void no_report(void *io, struct handle shard, struct span id, struct span world,
                      uint64_t connections)
{
    reporter_send(io, shard, id, world, connections);
}
static const struct node_port port = {.report = no_report};
static const struct node_settings node_settings = {
    .protocol = NODE_PROTOCOL_REFERENCE,
    .beat_ms = 1000,
    .world_id = "world-default",
    .report_ms = 3600000,
    .link_retry_min_ms = 100,
    .link_retry_max_ms = 100,
    .max_shards = SHARDS,
    .max_room_id = 100,
};
static void no_log(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static int setup(void **state)
{
    struct buf urls = {0};
    struct origins origins;
    struct span bad;
    (void)state;
    log_capture(no_log);
    loop = loop_new();
    world_open(&first, loop);
    world_open(&second, loop);
    buf_addf(&urls, "http://%s,http://%s", listener_address(first.listener),
             listener_address(second.listener));
    assert_int_equal(origins_parse(&origins, buf_span(&urls), &bad), ERR_OK);
    buf_clear(&urls);
    worlds_init(&worlds, loop, &origins);
    node = node_new(&port, &reporter, &node_settings, 1, loop_now(loop));
    ticker_init(&ticker, loop, node);
    reporter_init(&reporter, &ticker, &worlds, &secrets);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    reporter_clear(&reporter);
    world_close(&first);
    world_close(&second);
    worlds_clear(&worlds);
    for (int i = 0; i < 3; i++)
        loop_turn(loop, 0);
    ticker_stop(&ticker);
    node_free(node);
    loop_free(loop);
    return 0;
}

/* Starts `count` shards; each reports as it starts. */
static void start_shards(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct buf id = {0};
        struct span room, world, server;
        buf_addf(&id, "room:world-a:%u", i);
        /* Without a room server the request goes nowhere, but the shard is there. */
        assert_int_equal(node_http(node, buf_span(&id), loop_now(loop), &room, &world, &server),
                         ERR_MISSING);
        buf_clear(&id);
    }
}

static void turn_until(const size_t *value, size_t wanted)
{
    int64_t end = clock_mono_ms() + DEADLINE_MS;
    while (*value != wanted && clock_mono_ms() < end)
        loop_turn(loop, 10);
    assert_int_equal(*value, wanted);
}

static void turn_until_idle(void)
{
    int64_t end = clock_mono_ms() + DEADLINE_MS;
    while (!reporter_is_idle(&reporter) && clock_mono_ms() < end)
        loop_turn(loop, 10);
    assert_true(reporter_is_idle(&reporter));
}

static void report_says_which_shard_holds_how_many(void **state)
{
    (void)state;
    start_shards(1);
    turn_until_idle();
    buf_add_char(&first.last, '\0');
    assert_string_equal(
        first.last.data,
        "/parties/world/world-a/update-shard "
        "{\"shardId\":\"room:world-a:0\",\"worldId\":\"world-a\",\"connections\":0}");
    assert_int_equal(node_stats(node)->reports, 1);
    assert_int_equal(node_stats(node)->report_failures, 0);
}

static void refused_report_is_not_confirmed(void **state)
{
    (void)state;
    first.status = 404;
    start_shards(1);
    turn_until_idle();
    assert_int_equal(node_stats(node)->report_failures, 1);
    assert_int_equal(second.requests, 0);
}

static void slow_world_gets_a_bounded_number_at_a_time(void **state)
{
    (void)state;
    first.holds = true;
    start_shards(SHARDS);
    for (size_t answered = 0; answered < SHARDS;) {
        size_t wanted = SHARDS - answered < 32 ? SHARDS - answered : 32;
        turn_until(&first.held_count, wanted);
        assert_true(first.requests <= answered + 32);
        answered += wanted;
        while (first.held_count > 0)
            http_respond(first.held[--first.held_count], 200, SPAN(""), SPAN("{}"));
    }
    turn_until_idle();
    assert_int_equal(node_stats(node)->reports, SHARDS);
    assert_int_equal(node_stats(node)->report_failures, 0);
}

static void report_goes_to_another_world_when_one_is_gone(void **state)
{
    (void)state;
    world_close(&first);
    start_shards(3);
    turn_until_idle();
    assert_int_equal(second.requests, 3);
    assert_int_equal(node_stats(node)->report_failures, 0);
}

static void report_that_nobody_takes_has_failed(void **state)
{
    (void)state;
    world_close(&first);
    world_close(&second);
    start_shards(SHARDS);
    turn_until_idle();
    assert_int_equal(node_stats(node)->report_failures, SHARDS);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(report_says_which_shard_holds_how_many),
        TEST(refused_report_is_not_confirmed),
        TEST(slow_world_gets_a_bounded_number_at_a_time),
        TEST(report_goes_to_another_world_when_one_is_gone),
        TEST(report_that_nobody_takes_has_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
