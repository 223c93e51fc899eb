/* What the world hears, and in which order. */
#include "tests/unit/shard/core/recorder.h"

#define REPORT(count) "report " RECORDER_SHARD " world=world-a " count "\n"

/* A shard with a standing link; only reports are of interest. */
static struct handle joins(struct recorder *r, const char *name)
{
    r->show_reports = true;
    struct handle h = opens(r, name, name);
    if (!node_stats(r->node)->links_up)
        link_comes_up(r);
    return h;
}

/* The reports since the last call, and nothing but their lines. */
static void expect_reports(struct recorder *r, const char *lines)
{
    struct buf reports = {.len = 0};
    struct span rest = buf_span(&r->lines), line;
    while (rest.len > 0 && span_split(&rest, '\n', &line)) {
        if (span_starts(line, SPAN("report ")))
            buf_addf(&reports, "%.*s\n", SPAN_ARG(line));
    }
    forget(r);
    buf_add(&r->lines, reports.data, reports.len);
    buf_clear(&reports);
    expect(r, lines);
}

static void first_client_is_reported_after_the_start(void **state)
{
    struct recorder *r = *state;
    joins(r, "a");
    expect_reports(r, REPORT("0"));
    world_answers(r, true);
    expect_reports(r, REPORT("1"));
    world_answers(r, true);
    expect_reports(r, "");
}

static void world_that_refuses_is_told_at_the_next_change(void **state)
{
    struct recorder *r = *state;
    joins(r, "a");
    world_answers(r, false);
    expect_reports(r, REPORT("0") REPORT("1"));
    world_answers(r, false);
    expect_reports(r, "");
    joins(r, "b");
    expect_reports(r, REPORT("2"));
    assert_int_equal(node_stats(r->node)->reports, 3);
    assert_int_equal(node_stats(r->node)->report_failures, 2);
}

static void changes_during_a_report_are_made_up_for(void **state)
{
    struct recorder *r = *state;
    joins(r, "a");
    world_answers(r, true);
    world_answers(r, true);
    forget(r);
    struct handle b = joins(r, "b");
    expect_reports(r, REPORT("2"));
    leaves(r, b); /* while the 2 is under way */
    expect_reports(r, "");
    world_answers(r, true);
    expect_reports(r, REPORT("1"));
    world_answers(r, true);
    expect_reports(r, "");
}

static void change_and_change_back_during_a_report_needs_none(void **state)
{
    struct recorder *r = *state;
    joins(r, "a");
    world_answers(r, true);
    forget(r);
    leaves(r, joins(r, "b")); /* while the 1 is under way */
    world_answers(r, true);
    expect_reports(r, "");
}

static void change_and_change_back_during_a_failed_report_needs_another(void **state)
{
    struct recorder *r = *state;
    joins(r, "a");
    world_answers(r, true);
    forget(r);
    leaves(r, joins(r, "b")); /* while the 1 is under way */
    world_answers(r, false);  /* did the world take it or not? */
    expect_reports(r, REPORT("1"));
}

static void crowd_is_reported_at_once_and_at_the_end(void **state)
{
    struct recorder *r = *state;
    for (int i = 0; i < 50; i++)
        joins(r, "c");
    world_answers(r, true);
    expect_reports(r, REPORT("0") REPORT("50"));
}

static void unchanged_count_is_not_reported(void **state)
{
    struct recorder *r = *state;
    struct handle a = joins(r, "a");
    world_answers(r, true);
    world_answers(r, true);
    forget(r);
    for (int i = 0; i < 5; i++)
        says(r, a, "1");
    passes(r, 700);
    expect_reports(r, "");
}

static void counts_go_on_for_ever_without_clients(void **state)
{
    struct recorder *r = *state;
    r->settings.report_ms = 500;
    leaves(r, joins(r, "a"));
    world_answers(r, true);
    forget(r);
    for (int i = 0; i < 1000; i++) {
        passes(r, 500);
        expect_reports(r, REPORT("0"));
        world_answers(r, true);
    }
    assert_int_equal(node_stats(r->node)->shards, 1);
}

static void two_periods_bring_two_reports_in_good_time(void **state)
{
    struct recorder *r = *state;
    r->settings.report_ms = 500;
    for (int i = 0; i < 8; i++) {
        char id[16];
        snprintf(id, sizeof id, "r%d", i);
        r->show_reports = false;
        leaves(r, opens_at(r, id, "a", "a"));
        world_answers_all(r, true);
        uint64_t before = node_stats(r->node)->reports;
        int64_t end = r->now + 1300;
        while (r->now < end) {
            passes(r, 10);
            if (node_stats(r->node)->reports > before)
                break;
        }
        assert_true(r->now < end - 500);
    }
}

static void shards_that_start_together_do_not_report_together(void **state)
{
    struct recorder *r = *state;
    r->settings.max_shards = 200;
    for (int i = 0; i < 200; i++) {
        char id[16];
        snprintf(id, sizeof id, "r%d", i);
        struct span room, world, server;
        assert_int_equal(node_http(r->node, span_str(id), r->now, &room, &world, &server), ERR_OK);
        world_answers(r, true);
    }
    uint64_t most = 0;
    for (int i = 0; i < 31; i++) {
        uint64_t before = node_stats(r->node)->reports;
        passes(r, 1000);
        uint64_t more = node_stats(r->node)->reports - before;
        most = more > most ? more : most;
    }
    assert_true(most > 0 && most < 60); /* 200 over 15 s: 13 a second */
}

static void report_that_is_under_way_delays_the_periodic_one(void **state)
{
    struct recorder *r = *state;
    r->settings.report_ms = 1000;
    joins(r, "a");
    passes(r, 5000);
    expect_reports(r, REPORT("0"));
    world_answers(r, false);
    expect_reports(r, REPORT("1"));
}

static void periodic_report_outlives_a_change_that_came_to_nothing(void **state)
{
    struct recorder *r = *state;
    r->settings.report_ms = 1000;
    joins(r, "a");
    world_answers(r, true);
    passes(r, 1000);
    leaves(r, joins(r, "b"));
    forget(r);
    world_answers(r, true);
    expect_reports(r, REPORT("1"));
}

static void clients_that_the_node_closes_are_reported_too(void **state)
{
    struct recorder *r = *state;
    r->show_reports = true;
    opens(r, "a", "a");
    world_answers_all(r, true);
    world_answers_all(r, true);
    passes(r, 3010); /* the room was never reached */
    expect_reports(r, REPORT("0") REPORT("1") REPORT("0"));
    world_answers_all(r, true);

    struct handle b = opens(r, "b", "b");
    world_answers_all(r, true);
    link_comes_up(r);
    room_says(r, "{\"type\":\"shard.closeClient\",\"privateId\":\"b\"}");
    leaves(r, b);
    expect_reports(r, REPORT("1") REPORT("0"));
    world_answers_all(r, true);

    struct handle c = opens(r, "c", "c"), d = opens(r, "d", "d");
    world_answers_all(r, true);
    world_answers_all(r, true);
    r->queued = 4001;
    says(r, c, "1");
    says(r, d, "1"); /* overflow */
    world_answers_all(r, true);
    passes(r, 15010); /* never drained */
    expect_reports(r, REPORT("1") REPORT("2") REPORT("1") REPORT("0"));
}

static void shard_that_the_world_does_not_know_is_forgotten(void **state)
{
    struct recorder *r = *state;
    r->settings.report_ms = 1000;
    struct handle a = joins(r, "a");
    for (int i = 0; i < 120; i++) {
        passes(r, 1000);
        world_answers_all(r, false);
    }
    leaves(r, a);
    forget(r);
    int64_t left = r->now;
    while (node_stats(r->node)->shards > 0 && r->now < left + 100000) {
        world_answers_all(r, false);
        passes(r, 1000);
    }
    assert_true(r->now - left >= 60000 && r->now - left < 63000);
    assert_int_equal(node_stats(r->node)->links_up, 0);
    buf_add_char(&r->lines, '\0');
    assert_non_null(strstr(r->lines.data, "hang up L1 1000\n"));
    assert_int_equal(node_next_ms(r->node), INT64_MAX);
}

static void late_answer_for_a_forgotten_shard_finds_nothing(void **state)
{
    struct recorder *r = *state;
    leaves(r, joins(r, "a"));
    struct handle shard = r->reports[0];
    passes(r, 60000);
    world_answers(r, false);
    assert_int_equal(node_stats(r->node)->shards, 0);
    forget(r);
    node_reported(r->node, shard, true, r->now);
    expect(r, "");
}

static void shard_in_use_is_not_forgotten(void **state)
{
    struct recorder *r = *state;
    r->settings.report_ms = 1000;
    joins(r, "a");
    struct span room, world, server;
    for (int i = 0; i < 200; i++) {
        if (i % 50 == 0)
            assert_int_equal(node_http(r->node, SPAN("by-http"), r->now, &room, &world, &server),
                             ERR_OK);
        passes(r, 1000);
        world_answers_all(r, false);
        assert_int_equal(node_stats(r->node)->shards, 2);
    }
    for (int i = 0; i < 100; i++) {
        passes(r, 1000);
        world_answers_all(r, false);
    }
    assert_int_equal(node_stats(r->node)->shards, 1);
}

static void shutdown_reports_the_empty_shard(void **state)
{
    struct recorder *r = *state;
    joins(r, "a");
    joins(r, "b");
    world_answers(r, true);
    world_answers(r, true);
    forget(r);
    node_shutdown(r->node, r->now);
    expect_reports(r, REPORT("0"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, recorder_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(first_client_is_reported_after_the_start),
        TEST(world_that_refuses_is_told_at_the_next_change),
        TEST(changes_during_a_report_are_made_up_for),
        TEST(change_and_change_back_during_a_report_needs_none),
        TEST(change_and_change_back_during_a_failed_report_needs_another),
        TEST(crowd_is_reported_at_once_and_at_the_end),
        TEST(unchanged_count_is_not_reported),
        TEST(counts_go_on_for_ever_without_clients),
        TEST(two_periods_bring_two_reports_in_good_time),
        TEST(shards_that_start_together_do_not_report_together),
        TEST(report_that_is_under_way_delays_the_periodic_one),
        TEST(periodic_report_outlives_a_change_that_came_to_nothing),
        TEST(clients_that_the_node_closes_are_reported_too),
        TEST(shard_that_the_world_does_not_know_is_forgotten),
        TEST(late_answer_for_a_forgotten_shard_finds_nothing),
        TEST(shard_in_use_is_not_forgotten),
        TEST(shutdown_reports_the_empty_shard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
