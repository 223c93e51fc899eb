/* What a room hears when its link comes up: transcripts, compared literally. */
#include "tests/unit/shard/core/recorder.h"

static void messages_to_a_cold_room_wait_for_its_link(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    says(r, a, "1");
    struct handle b = opens(r, "b", "bob");
    says(r, b, "2");
    says(r, a, "3");
    forget(r);
    link_comes_up(r);
    expect(r, JOIN("L1", "ann", "a") JOIN("L1", "bob", "b") SAYS("L1", "ann", "1")
                  SAYS("L1", "bob", "2") SAYS("L1", "ann", "3"));
    says(r, a, "4");
    expect(r, SAYS("L1", "ann", "4"));
}

static void every_socket_is_replayed_in_order_of_arrival(void **state)
{
    struct recorder *r = *state;
    opens(r, "a1", "ann");
    struct handle b = opens(r, "b", "bob");
    link_comes_up(r);
    opens(r, "a2", "ann");
    leaves(r, b);
    link_falls(r);
    opens(r, "c", "cat");
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a1") JOIN("L2", "ann", "a2") JOIN("L2", "cat", "c"));
    assert_int_equal(node_stats(r->node)->link_replays, 1);
}

static void ghost_leaves_when_the_room_has_answered_its_join(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    struct handle b = opens(r, "b", "bob");
    link_comes_up(r);
    link_falls(r);
    leaves(r, b);
    says(r, a, "1");
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a") JOIN("L2", "bob", "b"));
    says(r, a, "2"); /* behind what waits */
    room_says(r, "{\"targetClientId\":\"ann\",\"data\":\"hello\"}");
    expect(r, "send a text:hello\n");
    room_says(r, "{\"targetClientId\":\"bob\",\"data\":\"hello\"}");
    expect(r, LEAVE("L2", "bob") SAYS("L2", "ann", "1") SAYS("L2", "ann", "2"));
    says(r, a, "3");
    expect(r, SAYS("L2", "ann", "3"));
    room_says(r, "{\"targetClientId\":\"bob\",\"data\":\"x\"}");
    assert_int_equal(node_stats(r->node)->unknown_target, 1);
}

static void ghost_leaves_after_a_second_without_an_answer(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    struct handle b = opens(r, "b", "bob");
    link_comes_up(r);
    link_falls(r);
    leaves(r, b);
    leaves(r, a);
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "bob", "b") JOIN("L2", "ann", "a"));
    passes(r, 990);
    expect(r, "");
    passes(r, 20);
    expect(r, LEAVE("L2", "bob") LEAVE("L2", "ann"));
    passes(r, 5000);
    expect(r, "");
}

static void room_that_closes_a_ghost_has_answered(void **state)
{
    struct recorder *r = *state;
    leaves(r, opens(r, "z", "never told"));
    struct handle b = opens(r, "b", "bob");
    link_comes_up(r);
    link_falls(r);
    leaves(r, b);
    redials(r);
    link_comes_up(r);
    forget(r);
    room_says(r, "{\"type\":\"shard.closeClient\",\"privateId\":\"bob\"}");
    expect(r, LEAVE("L2", "bob"));
}

static void ghost_has_the_request_info_of_its_last_socket(void **state)
{
    struct recorder *r = *state;
    struct handle a1 = opens(r, "a1", "ann");
    struct handle a2 = opens(r, "a2", "ann");
    link_comes_up(r);
    link_falls(r);
    leaves(r, a2);
    leaves(r, a1);
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a1"));
}

static void session_that_comes_back_in_time_is_no_ghost(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    link_falls(r);
    says(r, a, "1");
    leaves(r, a);
    struct handle again = opens(r, "again", "ann");
    says(r, again, "2");
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "again") SAYS("L2", "ann", "1") SAYS("L2", "ann", "2"));
}

static void ghost_that_comes_back_during_the_replay_stays(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    struct handle b = opens(r, "b", "bob");
    link_comes_up(r);
    link_falls(r);
    leaves(r, a);
    says(r, b, "1");
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "bob", "b") JOIN("L2", "ann", "a"));
    opens(r, "again", "ann");
    expect(r, JOIN("L2", "ann", "again") SAYS("L2", "bob", "1"));
    passes(r, 1900);
    expect(r, "");
}

static void brief_client_that_said_nothing_leaves_no_trace(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    link_falls(r);
    leaves(r, opens(r, "b", "bob"));
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a"));
    assert_int_equal(node_stats(r->node)->sessions, 1);
}

static void brief_client_is_heard_before_it_leaves(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    link_falls(r);
    struct handle b = opens(r, "b", "bob");
    says(r, b, "1");
    says(r, a, "2");
    says(r, b, "3");
    leaves(r, b);
    says(r, a, "4");
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a") JOIN("L2", "bob", "b"));
    room_says(r, "{\"targetClientId\":\"bob\",\"data\":\"x\"}");
    expect(r, SAYS("L2", "bob", "1") SAYS("L2", "ann", "2") SAYS("L2", "bob", "3")
                  LEAVE("L2", "bob") SAYS("L2", "ann", "4"));
}

static void client_that_leaves_during_the_replay_leaves_in_order(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    struct handle b = opens(r, "b", "bob");
    struct handle c = opens(r, "c", "cat");
    link_comes_up(r);
    link_falls(r);
    leaves(r, b);
    says(r, a, "1");
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a") JOIN("L2", "cat", "c") JOIN("L2", "bob", "b"));
    leaves(r, c); /* nothing of it waits */
    expect(r, LEAVE("L2", "cat"));
    leaves(r, a); /* its message waits */
    expect(r, "");
    passes(r, 1010);
    expect(r, LEAVE("L2", "bob") SAYS("L2", "ann", "1") LEAVE("L2", "ann"));
}

static void newcomer_during_the_replay_joins_at_once_and_speaks_in_turn(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    struct handle b = opens(r, "b", "bob");
    link_comes_up(r);
    link_falls(r);
    leaves(r, b);
    says(r, a, "1");
    redials(r);
    link_comes_up(r);
    forget(r);
    struct handle c = opens(r, "c", "cat");
    says(r, c, "2");
    expect(r, JOIN("L2", "cat", "c"));
    passes(r, 1010);
    expect(r, LEAVE("L2", "bob") SAYS("L2", "ann", "1") SAYS("L2", "cat", "2"));
}

static void link_that_falls_during_the_replay_is_replayed_again(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    struct handle b = opens(r, "b", "bob");
    struct handle c = opens(r, "c", "cat");
    link_comes_up(r);
    link_falls(r);
    leaves(r, b);
    leaves(r, c);
    says(r, a, "1");
    redials(r);
    link_comes_up(r);
    room_says(r, "{\"targetClientId\":\"bob\",\"data\":\"x\"}");
    expect(r,
           JOIN("L2", "ann", "a") JOIN("L2", "bob", "b") JOIN("L2", "cat", "c") LEAVE("L2", "bob"));
    link_falls(r);
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L3", "ann", "a") JOIN("L3", "cat", "c"));
    passes(r, 1010);
    expect(r, LEAVE("L3", "cat") SAYS("L3", "ann", "1"));
}

static void those_who_were_closed_while_waiting_are_ghosts_too(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    link_falls(r);
    says(r, a, "lost, and the client knows");
    says(r, a, "\"lost, and the client knows\"");
    passes(r, 15010);
    assert_int_equal(node_stats(r->node)->clients, 0);
    forget(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a"));
    passes(r, 1010);
    expect(r, LEAVE("L2", "ann"));
}

static void shutdown_ends_the_replay_first(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    struct handle b = opens(r, "b", "bob");
    link_comes_up(r);
    link_falls(r);
    leaves(r, b);
    says(r, a, "1");
    redials(r);
    link_comes_up(r);
    forget(r);
    node_shutdown(r->node, r->now);
    expect(r, LEAVE("L2", "bob") SAYS("L2", "ann", "1")
                  LEAVE("L2", "ann") "close a 1012 restart;retry=1000-5000\n");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, recorder_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(messages_to_a_cold_room_wait_for_its_link),
        TEST(every_socket_is_replayed_in_order_of_arrival),
        TEST(ghost_leaves_when_the_room_has_answered_its_join),
        TEST(ghost_leaves_after_a_second_without_an_answer),
        TEST(room_that_closes_a_ghost_has_answered),
        TEST(ghost_has_the_request_info_of_its_last_socket),
        TEST(session_that_comes_back_in_time_is_no_ghost),
        TEST(ghost_that_comes_back_during_the_replay_stays),
        TEST(brief_client_that_said_nothing_leaves_no_trace),
        TEST(brief_client_is_heard_before_it_leaves),
        TEST(client_that_leaves_during_the_replay_leaves_in_order),
        TEST(newcomer_during_the_replay_joins_at_once_and_speaks_in_turn),
        TEST(link_that_falls_during_the_replay_is_replayed_again),
        TEST(those_who_were_closed_while_waiting_are_ghosts_too),
        TEST(shutdown_ends_the_replay_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
