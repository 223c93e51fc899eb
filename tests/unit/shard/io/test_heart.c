/* Beats on their way to worlds that answer, refuse, dawdle or are not there. */
#include "shard/io/heart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "tests/unit/shard/io/scripted_world.h"

static const struct secrets secrets = {SPAN_INIT("secret")};

#define ORDERS "{\"epoch\":1,\"version\":1,\"intervalMs\":60000,\"unchanged\":true}"

static struct loop *loop;
static struct node *node;
static struct ticker ticker;
static struct worlds worlds;
static struct heart heart;
static struct world first, second;

static void port_beat(void *io, struct handle world, struct span world_id, struct span body)
{
    heart_beat(io, world, world_id, body);
}
static const struct node_port port = {.beat = port_beat};
static const struct node_settings node_settings = {
    .id = "node-1",
    .epoch = 1700000000000,
    .world_ids = "world-a",
    .world_id = "world-default",
    .beat_ms = 60000,
    .report_ms = 60000,
    .link_retry_min_ms = 100,
    .link_retry_max_ms = 100,
};

static char logged[4096];

static void keep_log(const char *line, size_t len)
{
    size_t had = strlen(logged);
    if (had + len < sizeof logged)
        memcpy(logged + had, line, len);
}

static int setup(void **state)
{
    struct buf urls = {0};
    struct origins origins;
    struct span bad;
    (void)state;
    memset(logged, 0, sizeof logged);
    log_capture(keep_log);
    loop = loop_new();
    world_open(&first, loop);
    world_open(&second, loop);
    first.answer = second.answer = ORDERS;
    buf_addf(&urls, "http://%s,http://%s", listener_address(first.listener),
             listener_address(second.listener));
    assert_int_equal(origins_parse(&origins, buf_span(&urls), &bad), ERR_OK);
    buf_clear(&urls);
    worlds_init(&worlds, loop, &origins);
    node = node_new(&port, &heart, &node_settings, 1, loop_now(loop));
    ticker_init(&ticker, loop, node);
    heart_init(&heart, &ticker, &worlds, &secrets);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    heart_clear(&heart);
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

static bool is_idle(void)
{
    return list_empty(&heart.waiting) && list_empty(&heart.under_way);
}

/* The first beat is sent and answered, one way or another. */
static void beats_once(void)
{
    int64_t end = clock_mono_ms() + WORLD_DEADLINE_MS;
    ticker_touch(&ticker);
    do
        loop_turn(loop, 10);
    while ((node_stats(node)->beats == 0 || !is_idle()) && clock_mono_ms() < end);
    assert_int_equal(node_stats(node)->beats, 1);
    assert_true(is_idle());
}

static void beat_reaches_its_world_and_the_answer_core(void **state)
{
    (void)state;
    beats_once();
    assert_true(span_starts(buf_span(&first.last),
                            SPAN("/parties/world/world-a/heartbeat {\"node\":{\"id\":\"node-1\"")));
    assert_int_equal(node_stats(node)->worlds_beats, 1);
    assert_int_equal(node_stats(node)->beat_failures, 0);
    assert_int_equal(second.requests, 0);
}

static void status_is_told_as_it_is(void **state)
{
    (void)state;
    first.status = 404;
    beats_once();
    assert_int_equal(node_stats(node)->worlds_reference, 1);
    assert_int_equal(second.requests, 0);
}

static void beat_goes_to_another_world_when_one_is_not_there(void **state)
{
    (void)state;
    world_close(&first);
    beats_once();
    assert_int_equal(second.requests, 1);
    assert_int_equal(node_stats(node)->worlds_beats, 1);
}

static void world_that_does_not_answer_is_left_for_the_next_beat(void **state)
{
    (void)state;
    first.holds = true;
    int64_t begin = clock_mono_ms();
    beats_once();
    assert_true(clock_mono_ms() - begin >= HEART_ANSWER_MS);
    assert_int_equal(node_stats(node)->beat_failures, 1);
    assert_int_equal(second.requests, 0);
    assert_int_equal(worlds.current, 1);
}

/* It is another process that may know who decides; the first one stays the one that is asked. */
static void beat_that_is_refused_goes_to_another_world_once(void **state)
{
    (void)state;
    first.status = 421;
    second.status = 503;
    beats_once();
    assert_int_equal(first.requests, 1);
    assert_int_equal(second.requests, 1);
    assert_int_equal(node_stats(node)->beat_failures, 1);
    assert_int_equal(worlds.current, 0);
}

static void beat_that_another_world_takes_is_confirmed(void **state)
{
    (void)state;
    first.status = 503;
    beats_once();
    assert_int_equal(node_stats(node)->beat_failures, 0);
    assert_int_equal(node_stats(node)->worlds_beats, 1);
    assert_int_equal(worlds.current, 0);
}

static void beat_that_nobody_takes_has_failed(void **state)
{
    (void)state;
    world_close(&first);
    world_close(&second);
    beats_once();
    assert_int_equal(node_stats(node)->beat_failures, 1);
    assert_int_equal(node_stats(node)->worlds_unheard, 1);
}

static void a_failed_beat_names_the_world_and_what_went_wrong(void **state)
{
    char address[64];
    (void)state;
    (void)snprintf(address, sizeof address, "%s: connection refused",
                   listener_address(second.listener));
    world_close(&first);
    world_close(&second);
    beats_once();
    assert_non_null(strstr(logged, "beat.failed"));
    assert_non_null(strstr(logged, address));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(beat_reaches_its_world_and_the_answer_core),
        TEST(status_is_told_as_it_is),
        TEST(beat_goes_to_another_world_when_one_is_not_there),
        TEST(world_that_does_not_answer_is_left_for_the_next_beat),
        TEST(beat_that_is_refused_goes_to_another_world_once),
        TEST(beat_that_another_world_takes_is_confirmed),
        TEST(beat_that_nobody_takes_has_failed),
        TEST(a_failed_beat_names_the_world_and_what_went_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
