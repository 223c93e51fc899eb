/* When links are dialled, redialled and let go. */
#include "tests/unit/shard/core/recorder.h"

#define DIAL(n) "dial L" n " " RECORDER_SHARD " world=world-a room=room\n"

static void one_link_carries_all_clients_of_a_shard(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    opens(r, "b", "bob");
    expect(r, DIAL("1"));
    link_comes_up(r);
    forget(r);
    opens(r, "c", "cat");
    assert_int_equal(r->link_count, 1);
    assert_int_equal(node_stats(r->node)->links_up, 1);
    assert_int_equal(node_stats(r->node)->link_dials, 1);
}

static void two_shards_of_a_room_have_a_link_each(void **state)
{
    struct recorder *r = *state;
    opens_at(r, "room:w:1", "a", "ann");
    opens_at(r, "room:w:2", "b", "bob");
    assert_int_equal(r->link_count, 2);
}

static void link_that_falls_is_dialled_again(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    forget(r);
    node_link_down(r->node, last_link(r), 123, r->now);
    expect(r, "");
    assert_int_equal(node_stats(r->node)->link_losses, 1);
    assert_int_equal(node_stats(r->node)->link_lost_bytes, 123);
    assert_int_equal(node_stats(r->node)->links_up, 0);
    passes(r, r->settings.link_retry_min_ms - 10);
    expect(r, "");
    passes(r, r->settings.link_retry_max_ms);
    expect(r, DIAL("2"));
}

static void idle_clients_outlast_any_outage(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    for (int i = 0; i < 200; i++) {
        link_falls(r);
        forget(r);
        passes(r, r->settings.link_retry_max_ms + 10);
    }
    assert_int_equal(node_stats(r->node)->clients, 1);
    assert_int_equal(node_stats(r->node)->link_failures, 199);
    forget(r);
    link_comes_up(r);
    expect(r, "L201 {\"type\":\"shard.clientConnected\",\"privateId\":\"ann\","
              "\"requestInfo\":{\"of\":\"a\"}}\n");
}

static void link_that_falls_at_once_is_dialled_more_and_more_slowly(void **state)
{
    struct recorder *r = *state;
    r->settings.link_retry_max_ms = 100000;
    recorder_restart(r);
    opens(r, "a", "ann");
    int64_t begin = r->now;
    for (int i = 0; i < 12; i++) {
        link_comes_up(r);
        link_falls(r);
        size_t dials = r->link_count;
        while (r->link_count == dials)
            passes(r, 10);
    }
    /* The mean of the full jitter would give 400 s; ten times the least wait would be 1 s. */
    assert_true(r->now - begin > 20000);
}

static void late_news_of_an_old_link_find_nothing(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    struct handle old = last_link(r);
    link_comes_up(r);
    link_falls(r);
    passes(r, 1010);
    assert_int_equal(r->link_count, 2);
    forget(r);
    node_link_up(r->node, old, r->now);
    node_link_frame(r->node, old, SPAN("{\"x\":1}"), r->now);
    node_link_drained(r->node, old, r->now);
    node_link_down(r->node, old, 5, r->now);
    expect(r, "");
    assert_int_equal(node_stats(r->node)->link_losses, 1);
}

static void link_without_clients_is_not_dialled_again(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    leaves(r, a);
    forget(r);
    link_falls(r);
    passes(r, 120000);
    expect(r, "");
    opens(r, "b", "bob");
    expect(r, DIAL("2"));
}

static void link_stays_when_its_last_client_leaves(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    leaves(r, a);
    forget(r);
    passes(r, 120000);
    expect(r, "");
    opens(r, "b", "bob");
    expect(r, "L1 {\"type\":\"shard.clientConnected\",\"privateId\":\"bob\","
              "\"requestInfo\":{\"of\":\"b\"}}\n");
}

static void clients_of_a_room_that_is_never_reached_are_closed(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_falls(r);
    forget(r);
    while (r->now < RECORDER_START_MS + 2990) {
        passes(r, 10);
        if (r->lines.len > 0)
            link_falls(r); /* each new dial fails at once */
        forget(r);
        assert_int_equal(node_stats(r->node)->clients, 1);
    }
    assert_true(node_stats(r->node)->link_dials >= 3);
    passes(r, 20);
    buf_add_char(&r->lines, '\0');
    assert_non_null(strstr(r->lines.data, "close a 1011 Unable to start room connection\n"));
    assert_int_equal(node_stats(r->node)->reasons[NODE_LINK_UNREACHABLE], 1);
    forget(r);
    passes(r, 60000);
    expect(r, "");
}

static void first_clients_get_a_second_try_whatever_the_back_off(void **state)
{
    struct recorder *r = *state;
    r->settings.link_retry_min_ms = 50000;
    r->settings.link_retry_max_ms = 100000;
    recorder_restart(r);
    opens(r, "a", "ann");
    link_falls(r);
    forget(r);
    passes(r, 1510);
    expect(r, DIAL("2"));
}

static void dial_that_hangs_is_given_up_with_the_last_client(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    passes(r, 1000);
    opens(r, "b", "bob");
    forget(r);
    passes(r, 2010);
    expect(r, "close a 1011 Unable to start room connection\n");
    passes(r, 1000);
    expect(r, "close b 1011 Unable to start room connection\nhang up L1 1000\n");
    opens(r, "c", "cat");
    expect(r, DIAL("2"));
    link_comes_up(r);
    expect(r, "L2 {\"type\":\"shard.clientConnected\",\"privateId\":\"cat\","
              "\"requestInfo\":{\"of\":\"c\"}}\n");
}

static void messages_of_a_client_that_was_closed_are_not_sent(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    says(r, a, "1");
    passes(r, 3010);
    opens(r, "b", "bob");
    forget(r);
    link_comes_up(r);
    expect(r, "L2 {\"type\":\"shard.clientConnected\",\"privateId\":\"bob\","
              "\"requestInfo\":{\"of\":\"b\"}}\n");
    assert_int_equal(node_stats(r->node)->sessions, 1);
}

static void message_of_one_who_left_waits_as_long_as_a_client(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    says(r, a, "1");
    leaves(r, a);
    passes(r, 2000);
    opens(r, "b", "bob");
    passes(r, 1010);
    forget(r);
    link_comes_up(r);
    expect(r, "L1 {\"type\":\"shard.clientConnected\",\"privateId\":\"bob\","
              "\"requestInfo\":{\"of\":\"b\"}}\n");
    assert_int_equal(node_stats(r->node)->sessions, 1);
}

static void message_that_waits_too_long_ends_the_wait_of_all(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    opens(r, "b", "bob");
    link_comes_up(r);
    link_falls(r);
    passes(r, 5000);
    says(r, a, "1");
    forget(r);
    link_falls(r); /* the dial of meanwhile */
    passes(r, 14990);
    assert_int_equal(node_stats(r->node)->clients, 2);
    forget(r);
    passes(r, 20);
    expect(r, "close a 1013 Room connection lost\nclose b 1013 Room connection lost\n");
    assert_int_equal(node_stats(r->node)->reasons[NODE_LINK_LOST], 2);
    assert_true(node_stats(r->node)->link_lost_bytes > 0);
}

static void newcomer_to_a_link_that_fell_waits_for_itself(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    link_falls(r);
    passes(r, 60000);
    opens(r, "b", "bob");
    forget(r);
    passes(r, 14990);
    assert_int_equal(node_stats(r->node)->clients, 2);
    forget(r);
    passes(r, 20);
    expect(r, "close b 1013 Room connection lost\n");
    assert_int_equal(node_stats(r->node)->clients, 1);
}

static void wait_of_one_who_left_binds_nobody(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    link_falls(r);
    leaves(r, opens(r, "b", "bob"));
    struct handle c = opens(r, "c", "cat");
    says(r, c, "1");
    leaves(r, c);
    passes(r, 60000);
    assert_int_equal(node_stats(r->node)->clients, 1);
}

static void node_gives_up_to_tell_of_those_who_left(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    link_falls(r);
    leaves(r, a);
    forget(r);
    for (int i = 0; i < 100; i++) {
        passes(r, 1010);
        if (r->lines.len > 0)
            link_falls(r);
        forget(r);
    }
    size_t dials = r->link_count;
    assert_true(dials > 30); /* it did try for a minute */
    passes(r, 600000);
    assert_int_equal(r->link_count, dials);
    /* The next client brings the news along. */
    opens(r, "b", "bob");
    forget(r);
    link_comes_up(r);
    buf_add_char(&r->lines, '\0');
    assert_non_null(strstr(r->lines.data, "\"privateId\":\"ann\""));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, recorder_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_link_carries_all_clients_of_a_shard),
        TEST(two_shards_of_a_room_have_a_link_each),
        TEST(link_that_falls_is_dialled_again),
        TEST(idle_clients_outlast_any_outage),
        TEST(link_that_falls_at_once_is_dialled_more_and_more_slowly),
        TEST(late_news_of_an_old_link_find_nothing),
        TEST(link_without_clients_is_not_dialled_again),
        TEST(link_stays_when_its_last_client_leaves),
        TEST(clients_of_a_room_that_is_never_reached_are_closed),
        TEST(first_clients_get_a_second_try_whatever_the_back_off),
        TEST(dial_that_hangs_is_given_up_with_the_last_client),
        TEST(messages_of_a_client_that_was_closed_are_not_sent),
        TEST(message_of_one_who_left_waits_as_long_as_a_client),
        TEST(message_that_waits_too_long_ends_the_wait_of_all),
        TEST(newcomer_to_a_link_that_fell_waits_for_itself),
        TEST(wait_of_one_who_left_binds_nobody),
        TEST(node_gives_up_to_tell_of_those_who_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
