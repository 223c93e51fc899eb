/* What a link had been given and had not sent when it fell: transcripts, compared literally. */
#include "tests/unit/shard/core/recorder.h"

static void messages_that_were_not_sent_go_first(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    says(r, a, "1");
    says(r, a, "2");
    says(r, a, "3");
    comes_back(r, SAYS("L1", "ann", "2"));
    comes_back(r, SAYS("L1", "ann", "3"));
    link_falls(r);
    says(r, a, "4");
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a") SAYS("L2", "ann", "2") SAYS("L2", "ann", "3")
                  SAYS("L2", "ann", "4"));
}

static void joins_that_were_not_sent_are_told_once(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    comes_back(r, JOIN("L1", "ann", "a"));
    link_falls(r);
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a"));
}

static void one_whose_leaving_was_not_sent_is_a_ghost(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    struct handle b = opens(r, "b", "bob");
    link_comes_up(r);
    r->queued = 100;
    says(r, b, "1");
    leaves(r, b);
    comes_back(r, SAYS("L1", "bob", "1"));
    comes_back(r, LEAVE("L1", "bob"));
    r->queued = 0;
    link_falls(r);
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a") JOIN("L2", "bob", "b"));
    room_says(r, "{\"targetClientId\":\"bob\",\"data\":\"hello\"}");
    expect(r, SAYS("L2", "bob", "1") LEAVE("L2", "bob"));
}

static void one_whose_leaving_was_sent_is_forgotten(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    struct handle b = opens(r, "b", "bob");
    link_comes_up(r);
    says(r, b, "1");
    leaves(r, b);
    says(r, a, "2"); /* nothing is queued any more: the leaving was sent */
    comes_back(r, SAYS("L1", "ann", "2"));
    link_falls(r);
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a") SAYS("L2", "ann", "2"));
}

/* The queue is never empty, but the leaving has gone through it. */
static void a_leaving_that_was_sent_is_forgotten_under_load(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    struct handle b = opens(r, "b", "bob");
    link_comes_up(r);
    r->queued = 100;
    leaves(r, b);
    char filler[200];
    (void)snprintf(filler, sizeof filler, "\"%0150d\"", 0);
    says(r, a, filler); /* bob's leaving is more than 100 bytes back now */
    says(r, a, "2");
    comes_back(r, LEAVE("L1", "bob")); /* as if: there is nobody to say it for */
    comes_back(r, SAYS("L1", "ann", "2"));
    r->queued = 0;
    link_falls(r);
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a") SAYS("L2", "ann", "2"));
}

static void one_who_came_back_speaks_for_who_left(void **state)
{
    struct recorder *r = *state;
    struct handle b = opens(r, "b1", "bob");
    link_comes_up(r);
    r->queued = 100;
    says(r, b, "1");
    leaves(r, b);
    b = opens(r, "b2", "bob");
    says(r, b, "2");
    comes_back(r, SAYS("L1", "bob", "1"));
    comes_back(r, LEAVE("L1", "bob"));
    comes_back(r, JOIN("L1", "bob", "b2"));
    comes_back(r, SAYS("L1", "bob", "2"));
    r->queued = 0;
    link_falls(r);
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "bob", "b2") SAYS("L2", "bob", "1") SAYS("L2", "bob", "2"));
}

static void of_two_leavings_the_last_counts(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    struct handle b = opens(r, "b1", "bob");
    link_comes_up(r);
    r->queued = 100;
    leaves(r, b);
    b = opens(r, "b2", "bob");
    leaves(r, b);
    comes_back(r, LEAVE("L1", "bob"));
    comes_back(r, JOIN("L1", "bob", "b2"));
    comes_back(r, LEAVE("L1", "bob"));
    r->queued = 0;
    link_falls(r);
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a") JOIN("L2", "bob", "b2"));
    passes(r, 1000);
    expect(r, LEAVE("L2", "bob"));
}

static void what_comes_back_during_a_replay_goes_before_what_waits(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    struct handle b = opens(r, "b", "bob");
    link_comes_up(r);
    says(r, a, "1");
    comes_back(r, SAYS("L1", "ann", "1"));
    link_falls(r);
    leaves(r, b);
    redials(r);
    link_comes_up(r); /* waits for the ghost's answer: 1 has not been sent yet */
    says(r, a, "2");
    comes_back(r, JOIN("L2", "ann", "a"));
    link_falls(r);
    redials(r);
    link_comes_up(r);
    passes(r, 1000);
    expect(r, JOIN("L3", "ann", "a") JOIN("L3", "bob", "b") LEAVE("L3", "bob")
                  SAYS("L3", "ann", "1") SAYS("L3", "ann", "2"));
}

static void what_was_lost_is_counted(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    link_comes_up(r);
    node_link_down(r->node, last_link(r), 123, r->now);
    assert_int_equal(node_stats(r->node)->link_lost_bytes, 123);
}

static void ids_of_any_kind_come_back(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "q\"\\\xC3\xA9");
    link_comes_up(r);
    says(r, a, "{\"privateId\":\"bob\",\"type\":\"shard.clientDisconnected\"}");
    comes_back(r, SAYS("L1", "q\\\"\\\\\xC3\xA9",
                       "{\"privateId\":\"bob\",\"type\":\"shard.clientDisconnected\"}"));
    link_falls(r);
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "q\\\"\\\\\xC3\xA9", "a")
                  SAYS("L2", "q\\\"\\\\\xC3\xA9",
                       "{\"privateId\":\"bob\",\"type\":\"shard.clientDisconnected\"}"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, recorder_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(messages_that_were_not_sent_go_first),
        TEST(joins_that_were_not_sent_are_told_once),
        TEST(one_whose_leaving_was_not_sent_is_a_ghost),
        TEST(one_whose_leaving_was_sent_is_forgotten),
        TEST(a_leaving_that_was_sent_is_forgotten_under_load),
        TEST(one_who_came_back_speaks_for_who_left),
        TEST(of_two_leavings_the_last_counts),
        TEST(what_comes_back_during_a_replay_goes_before_what_waits),
        TEST(what_was_lost_is_counted),
        TEST(ids_of_any_kind_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
