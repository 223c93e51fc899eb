/* How a node gives up what it holds: at the end of the process, and when a world orders it. */
#include "shard/core/ending.h"
#include "shard/core/node_state.h"
#include "shard/core/shard.h"
#include "tests/unit/shard/core/recorder.h"

static void two_clients(struct recorder *r)
{
    opens(r, "a", "ann");
    opens(r, "b", "bob");
    link_comes_up(r);
    forget(r);
}

static void is_refused(struct recorder *r)
{
    struct handle h;
    enum node_reason why;
    assert_int_equal(
        node_client_open(r->node, SPAN(RECORDER_SHARD), SPAN("new"), SPAN("{}"), r->now, &h, &why),
        ERR_FULL);
    assert_int_equal(why, NODE_REFUSED_FULL);
}

static void node_without_clients_ends_at_once(void **state)
{
    struct recorder *r = *state;
    node_end(r->node, r->now);
    passes(r, WHEEL_TICK_MS);
    assert_true(node_has_ended(r->node));
    is_refused(r);
}

static void clients_are_closed_one_by_one_and_then_it_is_over(void **state)
{
    struct recorder *r = *state;
    two_clients(r);
    node_end(r->node, r->now);
    is_refused(r);
    assert_true(node_is_draining(r->node));
    passes(r, 3000);
    assert_int_equal(node_stats(r->node)->clients, 1);
    assert_false(node_has_ended(r->node));
    passes(r, 7000);
    assert_true(node_has_ended(r->node));
    expect(r, "pause a\nping L1 1\n" LEAVE(
                  "L1", "ann") "close a 1012 restart;retry=2000-10000\n"
                               "pause b\nping L1 2\n" LEAVE(
                                   "L1", "bob") "close b 1012 restart;retry=2000-10000\n");
    assert_int_equal(node_stats(r->node)->reasons[NODE_DRAINED], 2);
}

static void those_who_pass_through_go_evenly_once_our_own_may(void **state)
{
    struct recorder *r = *state;
    uint64_t left = 60, most = 0;
    int64_t next_ms, until_ms = r->now + 10000;
    assert_int_equal(node_end_pass(r->node, left, r->now, &next_ms), 0);
    node_end(r->node, r->now);
    assert_int_equal(node_end_pass(r->node, left, r->now, &next_ms), 0); /* shards move first */
    passes(r, WHEEL_TICK_MS);
    for (; left > 0 && r->now < until_ms; passes(r, next_ms)) {
        uint64_t count = node_end_pass(r->node, left, r->now, &next_ms);
        assert_in_range(next_ms, 1, 1000);
        most = count > most ? count : most;
        left -= count;
    }
    assert_int_equal(left, 0);
    assert_int_equal(most, 1); /* every 125 ms */
    assert_in_range(until_ms - r->now, 2000, 3000);
    assert_int_equal(node_end_pass(r->node, 7, until_ms, &next_ms), 7);
}

static void it_is_over_as_soon_as_the_last_client_left(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    r->settings.drain_ms = 60000;
    link_comes_up(r);
    opens(r, "b", "bob");
    node_end(r->node, r->now);
    passes(r, 2000); /* the first is closed at once */
    assert_int_equal(node_stats(r->node)->clients, 1);
    assert_false(node_has_ended(r->node));
    (void)a;
    leaves(r, r->clients[1].handle);
    passes(r, ENDING_LOOK_MS + WHEEL_TICK_MS);
    assert_true(node_has_ended(r->node));
    forget(r);
}

static void ordered_node_stays_and_may_be_asked_back(void **state)
{
    struct recorder *r = *state;
    two_clients(r);
    const struct order_drain how = {.deadline_ms = 2000, .retry_min_ms = 1, .retry_max_ms = 2};
    ending_order(r->node, &how, r->now);
    assert_true(node_is_draining(r->node));
    passes(r, 2100);
    expect(r,
           "pause a\nping L1 1\npause b\nping L1 2\n" LEAVE(
               "L1", "ann") "close a 1012 restart;retry=1-2\n" LEAVE("L1",
                                                                     "bob") "close b 1012 "
                                                                            "restart;retry=1-2\n");
    assert_false(node_has_ended(r->node));
    is_refused(r);
    ending_revert(r->node);
    assert_false(node_is_draining(r->node));
    opens(r, "c", "cat");
    passes(r, 60000);
    assert_int_equal(node_stats(r->node)->clients, 1);
    forget(r);
}

static void repeated_order_changes_nothing(void **state)
{
    struct recorder *r = *state;
    two_clients(r);
    for (int i = 0; i < 10; i++) {
        ending_order(r->node, &(struct order_drain){.rate = 0}, r->now);
        passes(r, 1000);
    }
    assert_int_equal(node_stats(r->node)->clients, 0);
    forget(r);
}

static void sigterm_ends_a_node_that_was_ordered_to_drain_slowly(void **state)
{
    struct recorder *r = *state;
    two_clients(r);
    ending_order(r->node, &(struct order_drain){.deadline_ms = 3600000}, r->now);
    passes(r, 2000);
    node_end(r->node, r->now);
    ending_revert(r->node); /* comes too late */
    passes(r, 10000);
    assert_true(node_has_ended(r->node));
    forget(r);
}

static void empty_node_that_was_ordered_ends_at_once(void **state)
{
    struct recorder *r = *state;
    ending_order(r->node, &(struct order_drain){.rate = 0}, r->now);
    passes(r, 1000);
    node_end(r->node, r->now);
    passes(r, WHEEL_TICK_MS);
    assert_true(node_has_ended(r->node));
}

/* ---- with other nodes */

#define ORDERED(more)                                                                              \
    "{\"epoch\":1,\"version\":1,\"intervalMs\":1000,\"full\":true,\"others\":1,\"drop\":[]," more  \
    "\"shards\":[{\"shardId\":\"" RECORDER_SHARD                                                   \
    "\",\"roomId\":\"room\",\"status\":\"active\",\"maxConnections\":20}]}"
#define DROPPED                                                                                    \
    "{\"epoch\":1,\"version\":2,\"intervalMs\":1000,\"others\":1,\"shards\":[],"                   \
    "\"drop\":[\"" RECORDER_SHARD "\"]}"

static void world_says(struct recorder *r, const char *body)
{
    for (int i = 0; i < 200 && !r->beat_under_way; i++)
        passes(r, 10);
    assert_true(r->beat_under_way);
    r->beat_under_way = false;
    node_beat_answered(r->node, r->world, 200, span_str(body), r->now);
}

static int world_setup(void **state)
{
    recorder_setup(state);
    struct recorder *r = *state;
    r->settings.protocol = NODE_PROTOCOL_AUTO;
    recorder_restart(r);
    two_clients(r);
    world_says(r, ORDERED(""));
    passes(r, 100);
    forget(r);
    return 0;
}

static void clients_are_closed_once_the_shards_are_elsewhere(void **state)
{
    struct recorder *r = *state;
    node_end(r->node, r->now);
    passes(r, 60); /* worlds hear of it at once */
    assert_true(r->beat_under_way);
    buf_add_char(&r->beat, '\0');
    assert_non_null(strstr(r->beat.data, "\"draining\":true"));
    passes(r, 2000);
    expect(r, "");
    world_says(r, DROPPED);
    passes(r, 1200);
    expect(r, "pause a\nping L1 1\n" LEAVE("L1", "ann") "close a 1012 restart;retry=1000-5000\n");
}

static void world_that_does_not_move_the_shards_is_waited_for_half_of_the_time(void **state)
{
    struct recorder *r = *state;
    node_end(r->node, r->now);
    passes(r, ENDING_MOVE_MS - ENDING_LOOK_MS);
    expect(r, "");
    passes(r, ENDING_MOVE_MS + ENDING_LOOK_MS);
    assert_int_equal(node_stats(r->node)->clients, 0);
    assert_true(node_has_ended(r->node));
    forget(r);
}

static void order_of_a_world_drains_the_node_until_it_is_taken_back(void **state)
{
    struct recorder *r = *state;
    world_says(r, ORDERED("\"drainNode\":{\"deadlineMs\":60000},"));
    assert_true(node_is_draining(r->node));
    world_says(r, ORDERED(""));
    assert_false(node_is_draining(r->node));
    assert_int_equal(node_stats(r->node)->clients, 2);
    expect(r, "");
}

int main(void)
{
#define CASE(name)       cmocka_unit_test_setup_teardown(name, recorder_setup, recorder_teardown)
#define WORLD_CASE(name) cmocka_unit_test_setup_teardown(name, world_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        CASE(node_without_clients_ends_at_once),
        CASE(clients_are_closed_one_by_one_and_then_it_is_over),
        CASE(those_who_pass_through_go_evenly_once_our_own_may),
        CASE(it_is_over_as_soon_as_the_last_client_left),
        CASE(ordered_node_stays_and_may_be_asked_back),
        CASE(repeated_order_changes_nothing),
        CASE(sigterm_ends_a_node_that_was_ordered_to_drain_slowly),
        CASE(empty_node_that_was_ordered_ends_at_once),
        WORLD_CASE(clients_are_closed_once_the_shards_are_elsewhere),
        WORLD_CASE(world_that_does_not_move_the_shards_is_waited_for_half_of_the_time),
        WORLD_CASE(order_of_a_world_drains_the_node_until_it_is_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
