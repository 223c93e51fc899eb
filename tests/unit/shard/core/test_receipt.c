/* What a room server is known to have read when its link falls. */
#include "shard/core/receipt.h"
#include "tests/unit/shard/core/recorder.h"

static uint64_t lost(const struct recorder *r)
{
    return node_stats(r->node)->link_lost_bytes;
}

enum { ONE = sizeof SAYS("L1", "ann", "1") - sizeof "L1 \n" }; /* the text of such a message */

static void message_that_nothing_proves_read_is_counted_as_lost(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    says(r, a, "1");
    says(r, a, "2");
    link_falls(r);
    assert_int_equal(lost(r), 2 * ONE);
}

static void joins_are_told_again_and_so_not_lost(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    link_falls(r);
    assert_int_equal(lost(r), 0);
}

static void pong_proves_what_went_before_its_ping(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    says(r, a, "1");
    forget(r);
    passes(r, RECEIPT_MS + 10);
    expect(r, "ping L1 1\n");
    says(r, a, "2");
    room_pongs(r, 1);
    link_falls(r);
    assert_int_equal(lost(r), ONE);
}

static void what_comes_back_is_not_lost(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    says(r, a, "1");
    says(r, a, "2");
    comes_back(r, SAYS("L1", "ann", "2"));
    link_falls(r);
    assert_int_equal(lost(r), ONE);
}

static void ping_is_asked_for_once_and_only_when_something_was_said(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    forget(r);
    passes(r, 5000);
    expect(r, "");
    says(r, a, "1");
    passes(r, 900);
    says(r, a, "2");
    forget(r);
    passes(r, 5000);
    expect(r, "ping L1 1\n");
    room_pongs(r, 1);
    passes(r, 5000);
    expect(r, "");
    link_falls(r);
    assert_int_equal(lost(r), 0);
}

static void much_is_asked_for_at_once(void **state)
{
    struct recorder *r = *state;
    enum { HALF = RECEIPT_BYTES / 2 };
    static char text[HALF + 1];
    memset(text, '1', HALF);
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    says(r, a, text);
    assert_null(strstr((buf_add_char(&r->lines, '\0'), r->lines.data), "ping"));
    forget(r);
    says(r, a, text);
    assert_non_null(strstr((buf_add_char(&r->lines, '\0'), r->lines.data), "ping L1 1\n"));
    says(r, a, text);
    says(r, a, text);
    forget(r);
    room_pongs(r, 1);
    expect(r, "ping L1 2\n");
    room_pongs(r, 2);
    link_falls(r);
    assert_int_equal(lost(r), 0);
}

static void what_waited_is_asked_for_when_it_is_written(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    link_falls(r);
    says(r, a, "1");
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a") SAYS("L2", "ann", "1"));
    passes(r, 2 * RECEIPT_MS + 10);
    expect(r, "ping L2 1\n");
    room_pongs(r, 1);
    link_falls(r);
    assert_int_equal(lost(r), 0);
}

static void what_is_not_acknowledged_counts_when_it_is_more(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    says(r, a, "1");
    node_link_down(r->node, last_link(r), 1000, r->now);
    assert_int_equal(lost(r), 1000);
}

static void link_that_was_closed_in_order_lost_nothing(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    says(r, a, "1");
    leaves(r, a);
    passes(r, RECEIPT_MS + 10);
    room_pongs(r, 1);
    link_falls(r);
    assert_int_equal(lost(r), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, recorder_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(message_that_nothing_proves_read_is_counted_as_lost),
        TEST(joins_are_told_again_and_so_not_lost),
        TEST(pong_proves_what_went_before_its_ping),
        TEST(what_comes_back_is_not_lost),
        TEST(ping_is_asked_for_once_and_only_when_something_was_said),
        TEST(much_is_asked_for_at_once),
        TEST(what_waited_is_asked_for_when_it_is_written),
        TEST(what_is_not_acknowledged_counts_when_it_is_more),
        TEST(link_that_was_closed_in_order_lost_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
