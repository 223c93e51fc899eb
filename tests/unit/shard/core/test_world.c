/* What worlds are told, and what they answer to it. */
#include "tests/unit/shard/core/beating.h"

/* ---- what is told, and when */

static void first_beat_is_full_and_says_who_we_are(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    beats(r, 100);
    assert_true(beat_has(r, "{\"node\":{\"id\":\"node-1\",\"epoch\":1700000000000,"
                            "\"url\":\"http://node-1\",\"internalUrl\":\"http://10.0.0.1:3010\","
                            "\"version\":\"1.0.0\",\"maxConnections\":100,\"connections\":1,"));
    assert_true(beat_has(r, "\"seq\":1,\"full\":true,\"haveOrders\":{\"epoch\":0,\"version\":0}"));
    assert_int_equal(beat_open_count(r), 1);
    assert_int_equal(beat_link_state(r), BEAT_LINK_DOWN);
}

static void configured_worlds_hear_of_a_node_without_shards(void **state)
{
    struct recorder *r = *state;
    r->settings.world_ids = "world-b , world-c";
    recorder_restart(r);
    passes(r, 10);
    assert_int_equal(r->beats, 2);
    assert_int_equal(node_stats(r->node)->worlds_unheard, 2);
}

static void only_what_changed_is_told(void **state)
{
    struct recorder *r = *state;
    settles(r);
    struct handle other = opens_at(r, "other:world-a:1700000000000-8", "b", "bob");
    beats(r, 100);
    assert_false(tells_shard(r));
    assert_true(beat_has(r, "\"full\":false"));
    assert_true(beat_has(r, "\"connections\":2"));
    assert_true(beat_has(r, "other:world-a"));
    answers(r, 200, UNCHANGED);
    leaves(r, other);
    opens(r, "c", "cat");
    beats(r, 100);
    assert_int_equal(beat_open_count(r), 2);
    answers(r, 200, UNCHANGED);
    beats(r, 1200); /* nothing to tell: by its time */
    assert_true(beat_has(r, "\"shards\":[]"));
}

static void changes_within_50_ms_are_one_beat(void **state)
{
    struct recorder *r = *state;
    settles(r);
    passes(r, 100);
    opens(r, "b", "bob");
    passes(r, 10);
    assert_int_equal(beat_open_count(r), 2);
    answers(r, 200, UNCHANGED);
    size_t before = r->beats;
    for (int i = 0; i < 3; i++) {
        opens(r, "c", "cat");
        passes(r, 10);
    }
    assert_int_equal(r->beats, before);
    passes(r, 30);
    assert_int_equal(r->beats, before + 1);
    assert_int_equal(beat_open_count(r), 5);
}

static void change_that_came_to_nothing_is_not_told(void **state)
{
    struct recorder *r = *state;
    settles(r);
    world_shard_changed(shard_of(r));
    is_silent(r, 500);
}

static void one_beat_is_under_way_at_a_time(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    beats(r, 100);
    opens(r, "b", "bob");
    is_silent(r, 5000);
    answers(r, 200, ORDERS("1", NAMED("")));
    beats(r, 20);
    assert_int_equal(beat_open_count(r), 2);
    assert_true(beat_has(r, "\"seq\":2,"));
}

static void world_that_knocks_is_told_at_once(void **state)
{
    struct recorder *r = *state;
    settles(r);
    assert_false(node_knocked(r->node, SPAN("world-x")));
    assert_true(node_knocked(r->node, SPAN("world-a")));
    beats(r, 20);
    assert_true(node_knocked(r->node, SPAN("world-a"))); /* who decides may not be who hears it */
    is_silent(r, 300);
    answers(r, 503, "{}");
    beats(r, 20);
    answers(r, 200, UNCHANGED);
    is_silent(r, 500);
}

static void what_was_not_confirmed_is_told_again(void **state)
{
    struct recorder *r = *state;
    settles(r);
    opens(r, "b", "bob");
    beats(r, 100);
    answers(r, 0, "");
    opens_at(r, "other:world-a:1700000000000-8", "c", "cat");
    link_comes_up(r);
    is_silent(r, 700); /* a world in trouble hears of it with the next beat by time */
    beats(r, 500);
    assert_int_equal(beat_open_count(r), 2);
    assert_true(beat_has(r, "\"full\":false"));
    answers(r, 503, "{}");
    beats(r, 1200);
    assert_int_equal(beat_open_count(r), 2);
    answers(r, 200, UNCHANGED);
    beats(r, 1200);
    assert_true(beat_has(r, "\"shards\":[]"));
    assert_int_equal(node_stats(r->node)->beat_failures, 2);
}

static void full_beat_that_failed_is_full_again(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    for (int i = 0; i < 3; i++) {
        beats(r, 1200);
        assert_true(beat_has(r, FULL));
        answers(r, 0, "");
    }
}

static void world_says_how_often_it_wants_beats(void **state)
{
    struct recorder *r = *state;
    settles(r);
    beats(r, 1100);
    answers(r, 200, "{\"epoch\":1,\"version\":1,\"intervalMs\":5000,\"unchanged\":true}");
    is_silent(r, 4400);
    beats(r, 1100);
}

/* ---- epochs */

static void another_world_epoch_brings_a_full_beat(void **state)
{
    struct recorder *r = *state;
    settles(r);
    beats(r, 1100);
    assert_true(beat_has(r, "\"haveOrders\":{\"epoch\":1,\"version\":1}"));
    answers(r, 200, EPOCH_2 ",\"unchanged\":true}");
    beats(r, 60);
    assert_true(beat_has(r, FULL));
    assert_true(beat_has(r, "\"haveOrders\":{\"epoch\":0,\"version\":0}"));
    assert_int_equal(beat_open_count(r), 1);
    assert_true(shard_of(r)->owned);
}

static void lower_world_epoch_is_ignored(void **state)
{
    struct recorder *r = *state;
    settles(r);
    beats(r, 1100);
    answers(r, 200, EPOCH_2 ",\"full\":true,\"shards\":[" NAMED("") "],\"drop\":[]}");
    beats(r, 60);
    answers(r, 200, ORDERS("9", ""));
    assert_true(shard_of(r)->owned);
    assert_int_equal(node_stats(r->node)->stale_orders, 1);
    beats(r, 1100);
    assert_true(beat_has(r, "\"haveOrders\":{\"epoch\":2,\"version\":1}"));
    assert_true(beat_has(r, FULL)); /* the one whose answer was ignored was full */
}

static void node_whose_id_another_has_stops(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    beats(r, 100);
    forget(r);
    answers(r, 409,
            "{\"error\":\"x\",\"epoch\":1700000000001,\"ageMs\":500,\"url\":\"http://other:1\"}");
    expect(r, "fatal NODE_ID in use by http://other:1\n");
    assert_int_equal(node_stats(r->node)->beat_conflicts, 1);
}

static void node_whose_id_another_had_goes_on_with_a_later_epoch(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    beats(r, 100);
    forget(r);
    answers(r, 409,
            "{\"error\":\"x\",\"epoch\":1700000000500,\"ageMs\":3001,\"url\":\"http://other:1\"}");
    expect(r, "");
    beats(r, 100);
    assert_true(beat_has(r, "\"epoch\":1700000000501,"));
    assert_true(beat_has(r, FULL));
    answers(r, 200, ORDERS("1", NAMED("")));
}

/* It beats as seldom as the world wants. */
static void id_of_another_that_beats_slowly_is_not_taken(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    beats(r, 100);
    forget(r);
    answers(r, 409,
            "{\"error\":\"x\",\"epoch\":1700000000500,\"ageMs\":30000,\"intervalMs\":10000,"
            "\"url\":\"http://other:1\"}");
    expect(r, "fatal NODE_ID in use by http://other:1\n");
}

static void earlier_process_of_the_same_id_is_no_conflict(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    beats(r, 100);
    forget(r);
    answers(r, 409,
            "{\"error\":\"x\",\"epoch\":1699999999999,\"ageMs\":5,\"url\":\"http://other:1\"}");
    expect(r, "");
    is_silent(r, 700); /* the next by time: no quarrel at full speed */
    beats(r, 500);
    assert_true(beat_has(r, "\"epoch\":1700000000000,"));
}

static void beat_that_came_twice_is_no_conflict(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    beats(r, 100);
    forget(r);
    answers(
        r, 409,
        "{\"error\":\"x\",\"epoch\":1700000000000,\"ageMs\":5,\"url\":\"http://10.0.0.1:3010\"}");
    expect(r, "");
    beats(r, 1200);
    assert_true(beat_has(r, "\"seq\":2,"));
}

/* ---- worlds that know no beats */

static void world_without_beats_gets_reports_and_is_tried_again(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    beats(r, 100);
    forget(r);
    answers(r, 404, "{\"error\":\"Not found\"}");
    expect(r, REPORT("1"));
    assert_int_equal(node_stats(r->node)->worlds_reference, 1);
    world_answers_all(r, true);
    opens(r, "b", "bob");
    world_answers_all(r, true);
    passes(r, 20);
    r->show_reports = false;
    is_silent(r, 26000);
    beats(r, 8000);
    assert_true(beat_has(r, FULL));
    answers(r, 200, ORDERS("1", NAMED("")));
    assert_int_equal(node_stats(r->node)->worlds_beats, 1);
    world_answers_all(r, true);
    uint64_t reports = node_stats(r->node)->reports;
    opens(r, "c", "cat");
    beats(r, 100);
    answers(r, 200, UNCHANGED);
    assert_int_equal(node_stats(r->node)->reports, reports);
}

static void reports_go_on_while_a_world_is_tried_again(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    beats(r, 100);
    answers(r, 404, "");
    world_answers_all(r, true);
    r->show_reports = false;
    for (int i = 0; i < 3; i++) {
        beats(r, 34000);
        answers(r, i == 1 ? 0 : 404, "");
        world_answers_all(r, true);
    }
    uint64_t reports = node_stats(r->node)->reports;
    opens(r, "b", "bob");
    assert_int_equal(node_stats(r->node)->reports, reports + 1);
}

static void reference_protocol_never_beats(void **state)
{
    struct recorder *r = *state;
    r->settings.protocol = NODE_PROTOCOL_REFERENCE;
    r->settings.world_ids = "world-a,world-b";
    recorder_restart(r);
    forget(r);
    opens(r, "a", "ann");
    link_comes_up(r);
    passes(r, 200000);
    assert_int_equal(r->beats, 0);
}

static void shutdown_says_that_the_node_ends(void **state)
{
    struct recorder *r = *state;
    settles(r);
    node_shutdown(r->node, r->now);
    beats(r, 100); /* that its client is gone */
    assert_false(beat_has(r, "\"gone\":true"));
    answers(r, 200, UNCHANGED);
    node_say_gone(r->node);
    assert_false(node_has_said_gone(r->node));
    beats(r, 100);
    assert_true(beat_has(r, "\"gone\":true"));
    assert_true(beat_has(r, "\"full\":true"));
    answers(r, 200, UNCHANGED);
    assert_true(node_has_said_gone(r->node));
    is_silent(r, 10000);
}

static void last_word_waits_for_the_beat_under_way_only(void **state)
{
    struct recorder *r = *state;
    settles(r);
    node_shutdown(r->node, r->now);
    beats(r, 100); /* that its client is gone */
    node_say_gone(r->node);
    is_silent(r, 100);
    answers(r, 200, UNCHANGED);
    beats(r, 100);
    assert_true(beat_has(r, "\"gone\":true"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, beats_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(first_beat_is_full_and_says_who_we_are),
        TEST(configured_worlds_hear_of_a_node_without_shards),
        TEST(only_what_changed_is_told),
        TEST(changes_within_50_ms_are_one_beat),
        TEST(change_that_came_to_nothing_is_not_told),
        TEST(one_beat_is_under_way_at_a_time),
        TEST(world_that_knocks_is_told_at_once),
        TEST(what_was_not_confirmed_is_told_again),
        TEST(full_beat_that_failed_is_full_again),
        TEST(world_says_how_often_it_wants_beats),
        TEST(another_world_epoch_brings_a_full_beat),
        TEST(lower_world_epoch_is_ignored),
        TEST(node_whose_id_another_has_stops),
        TEST(node_whose_id_another_had_goes_on_with_a_later_epoch),
        TEST(id_of_another_that_beats_slowly_is_not_taken),
        TEST(earlier_process_of_the_same_id_is_no_conflict),
        TEST(beat_that_came_twice_is_no_conflict),
        TEST(world_without_beats_gets_reports_and_is_tried_again),
        TEST(reports_go_on_while_a_world_is_tried_again),
        TEST(reference_protocol_never_beats),
        TEST(shutdown_says_that_the_node_ends),
        TEST(last_word_waits_for_the_beat_under_way_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
