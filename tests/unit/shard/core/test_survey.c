/* How the links are, when somebody asks. */
#include "shard/core/survey.h"
#include "tests/unit/shard/core/recorder.h"

static struct survey look(struct recorder *r)
{
    struct survey s;
    survey_take(r->node, r->now, &s);
    uint64_t links = s.idle + s.waiting + s.dialling + s.replaying + s.up + s.closing;
    assert_int_equal(links, node_stats(r->node)->shards);
    assert_int_equal(s.replaying + s.up, node_stats(r->node)->links_up);
    return s;
}

static void every_state_of_a_link_is_counted(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    assert_int_equal(look(r).dialling, 1);
    struct handle b = opens(r, "b", "bob");
    link_comes_up(r);
    assert_int_equal(look(r).up, 1);
    link_falls(r);
    assert_int_equal(look(r).waiting, 1);
    leaves(r, b); /* a ghost that the next link waits for */
    redials(r);
    assert_int_equal(look(r).dialling, 1);
    link_comes_up(r);
    assert_int_equal(look(r).replaying, 1);
    passes(r, 1010);
    assert_int_equal(look(r).up, 1);
}

static void what_waits_is_measured(void **state)
{
    struct recorder *r = *state;
    struct handle a = opens(r, "a", "ann");
    link_comes_up(r);
    r->queued = 77;
    assert_int_equal(look(r).queued_bytes, 77);
    assert_int_equal(look(r).oldest_wait_ms, 0);
    link_falls(r);
    says(r, a, "1");
    r->now += 70;
    says(r, a, "2");
    assert_int_equal(look(r).queued_bytes, 0);
    assert_int_equal(look(r).oldest_wait_ms, 70);
    assert_true(look(r).backlog_bytes > 100);
}

static void newcomer_waits_too(void **state)
{
    struct recorder *r = *state;
    opens(r, "a", "ann");
    passes(r, 500);
    assert_int_equal(look(r).oldest_wait_ms, 500);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, recorder_setup, recorder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_state_of_a_link_is_counted),
        TEST(what_waits_is_measured),
        TEST(newcomer_waits_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
