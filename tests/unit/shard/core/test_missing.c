/* Sessions that a lost node left behind, as their room hears of them. */
#include "tests/unit/shard/core/beating.h"

#define MISSING(ids)                                                                               \
    EPOCH_1 ",\"unchanged\":true,\"drop\":[],\"missing\":[{\"shardId\":\"" SHARD                   \
            "\",\"sessions\":[" ids "]}]}"
#define CAME(link, session)                                                                        \
    link " {\"type\":\"shard.clientConnected\",\"privateId\":\"" session                           \
         "\",\"requestInfo\":{\"headers\":{},"                                                     \
         "\"url\":\"http://localhost/parties/shard/room%3Aworld-a%3A1700000000000-7\","            \
         "\"method\":\"GET\"}}\n"

/* The answer to the next beat names them. */
static void are_missing(struct recorder *r, const char *orders)
{
    beats(r, 1200);
    forget(r);
    answers(r, 200, orders);
}

static void room_hears_that_they_left_once_it_knows_them(void **state)
{
    struct recorder *r = *state;
    struct handle ann = settles(r);
    are_missing(r, MISSING("\"bob\",\"cat\""));
    expect(r, CAME("L1", "bob") CAME("L1", "cat"));
    says(r, ann, "1"); /* waits for nobody */
    expect(r, SAYS("L1", "ann", "1"));
    room_says(r, "{\"targetClientId\":\"cat\",\"data\":\"hello\"}");
    expect(r, LEAVE("L1", "cat"));
    passes(r, 990);
    expect(r, "");
    passes(r, 20);
    expect(r, LEAVE("L1", "bob") "ping L1 1\n"); /* receipt.h */
    assert_int_equal(node_stats(r->node)->sessions, 1);
}

static void who_is_here_is_not_missing(void **state)
{
    struct recorder *r = *state;
    settles(r);
    are_missing(r, MISSING("\"ann\""));
    passes(r, 2000);
    expect(r, "");
}

static void who_comes_in_the_meantime_stays(void **state)
{
    struct recorder *r = *state;
    settles(r);
    are_missing(r, MISSING("\"bob\""));
    expect(r, CAME("L1", "bob"));
    struct handle bob = opens(r, "b", "bob");
    expect(r, JOIN("L1", "bob", "b"));
    passes(r, 2000);
    expect(r, "");
    leaves(r, bob);
    expect(r, LEAVE("L1", "bob"));
}

static void who_is_named_twice_is_told_once(void **state)
{
    struct recorder *r = *state;
    settles(r);
    are_missing(r, MISSING("\"bob\",\"bob\""));
    beats(r, 100);
    assert_true(beat_has(r, "\"joined\":[\"bob\"]"));
    answers(r, 200, MISSING("\"bob\""));
    expect(r, CAME("L1", "bob"));
    passes(r, 1000);
    expect(r, LEAVE("L1", "bob"));
    assert_true(beat_has(r, "\"left\":[\"bob\"]"));
}

static void world_hears_of_one_that_left_before_it_was_told(void **state)
{
    struct recorder *r = *state;
    settles(r);
    are_missing(r, MISSING("\"bob\""));
    room_says(r, "{\"type\":\"shard.closeClient\",\"privateId\":\"bob\"}");
    expect(r, CAME("L1", "bob") LEAVE("L1", "bob"));
    beats(r, 100);
    assert_true(beat_has(r, "\"left\":[\"bob\"]"));
    assert_false(beat_has(r, "\"joined\""));
}

static void link_is_dialled_for_them(void **state)
{
    struct recorder *r = *state;
    opens_at(r, "other:world-a:1", "z", "zoe");
    beats(r, 100);
    answers(r, 200, ORDERS("1", NAMED("")));
    passes(r, 100000);
    answers(r, 200, UNCHANGED);
    are_missing(r, MISSING("\"bob\""));
    assert_int_equal(r->link_count, 2);
    link_falls(r);
    redials(r);
    link_comes_up(r);
    expect(r, CAME("L3", "bob"));
    passes(r, 1000);
    expect(r, LEAVE("L3", "bob"));
}

static void link_that_falls_meanwhile_is_followed_by_one_that_hears_of_them(void **state)
{
    struct recorder *r = *state;
    settles(r);
    are_missing(r, MISSING("\"bob\""));
    expect(r, CAME("L1", "bob"));
    link_falls(r);
    passes(r, 50);
    redials(r);
    link_comes_up(r);
    expect(r, JOIN("L2", "ann", "a") CAME("L2", "bob"));
    passes(r, 1000);
    expect(r, LEAVE("L2", "bob"));
}

static void only_the_owner_of_the_shard_tells(void **state)
{
    struct recorder *r = *state;
    settles(r);
    beats(r, 1200);
    answers(r, 200, DROP("2"));
    are_missing(r, MISSING("\"bob\""));
    expect(r, "");
    are_missing(r, EPOCH_1 ",\"unchanged\":true,\"missing\":[{\"shardId\":\"x:world-a:1\","
                           "\"sessions\":[\"bob\"]}]}");
    expect(r, "");
}

static void node_that_was_taken_for_lost_tells_all_anew(void **state)
{
    struct recorder *r = *state;
    settles(r);
    opens(r, "a2", "ann");
    leaves(r, opens(r, "b", "bob"));
    opens(r, "c", "cat");
    passes(r, 100);
    answers(r, 200, UNCHANGED);
    are_missing(r, EPOCH_1 ",\"unchanged\":true,\"renew\":true}");
    expect(r, JOIN("L1", "ann", "a") JOIN("L1", "cat", "c"));
    beats(r, 100);
    assert_true(beat_has(r, FULL));
    assert_true(beat_has(r, "\"joined\":[\""));
}

static void node_that_ends_leaves_nobody_half_told(void **state)
{
    struct recorder *r = *state;
    settles(r);
    are_missing(r, MISSING("\"bob\""));
    forget(r);
    node_shutdown(r->node, r->now);
    expect(r, LEAVE("L1", "bob") LEAVE("L1", "ann") "close a 1012 restart;retry=1000-5000\n");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, beats_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(room_hears_that_they_left_once_it_knows_them),
        TEST(who_is_here_is_not_missing),
        TEST(who_comes_in_the_meantime_stays),
        TEST(who_is_named_twice_is_told_once),
        TEST(world_hears_of_one_that_left_before_it_was_told),
        TEST(link_is_dialled_for_them),
        TEST(link_that_falls_meanwhile_is_followed_by_one_that_hears_of_them),
        TEST(only_the_owner_of_the_shard_tells),
        TEST(node_that_was_taken_for_lost_tells_all_anew),
        TEST(node_that_ends_leaves_nobody_half_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
