/* Checkups: asked of nodes until each has told, or is silent. */
#include "world/core/findings/round.h"

#include "tests/unit/world/core/fleet.h"

/* A beat of a node that knows findings. */
static void beat(struct recorder *r, const char *id, int64_t checkup)
{
    struct said said = {.id = id, .findings = "[]", .checkup = checkup};

    assert_int_equal(fleet_beat(r, &said, NULL, 0), 200);
}

static bool was_asked(const struct recorder *r)
{
    return strstr(recorder_last(r)->body, "\"checkup\":{\"id\":") != NULL;
}

static void nodes_are_asked_until_they_have_told(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    beat(r, "a", 0);
    beat(r, "b", 0);
    assert_false(was_asked(r));
    struct world *w = fleet_world(r);
    round_begin(w, r->now);
    int64_t id = w->round.id;
    assert_int_equal(id, r->now.wall_ms);
    beat(r, "a", 0);
    assert_true(was_asked(r));
    assert_non_null(strstr(recorder_last(r)->body,
                           "\"peers\":[{\"node\":\"a\",\"url\":\"http://node.internal\"},"
                           "{\"node\":\"b\",\"url\":\"http://node.internal\"}],\"servers\":[]}"));
    beat(r, "a", id);
    assert_false(was_asked(r));
    assert_true(w->round.is_under_way);
    assert_false(round_waits_for(fleet_node(r, "a"), r->now));
    assert_true(round_waits_for(fleet_node(r, "b"), r->now));
    beat(r, "b", id - 1);
    assert_true(was_asked(r));
    beat(r, "b", id);
    assert_false(was_asked(r));
    assert_false(w->round.is_under_way);
    recorder_free(r);
}

static void one_that_is_under_way_goes_on(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    beat(r, "a", 0);
    struct world *w = fleet_world(r);
    round_begin(w, r->now);
    int64_t id = w->round.id;
    recorder_pass(r, 100);
    round_begin(w, r->now);
    assert_int_equal(w->round.id, id);
    beat(r, "a", id);
    round_begin(w, r->now);
    assert_true(w->round.is_under_way && w->round.id > id);
    r->now.wall_ms -= 1000000; /* the clock was set back */
    beat(r, "a", w->round.id);
    id = w->round.id;
    round_begin(w, r->now);
    assert_int_equal(w->round.id, id + 1);
    recorder_free(r);
}

static void who_is_silent_is_not_waited_for(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    beat(r, "a", 0);
    beat(r, "b", 0);
    struct world *w = fleet_world(r);
    round_begin(w, r->now);
    beat(r, "a", w->round.id);
    fleet_pass(r, ROUND_SILENT_MS - 1000, "a");
    assert_true(w->round.is_under_way);
    fleet_pass(r, 2500, "a");
    assert_false(w->round.is_under_way);
    recorder_free(r);
}

static void nodes_that_know_no_findings_are_not_waited_for(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    (void)fleet_join(r, "a");
    struct world *w = fleet_world(r);
    round_begin(w, r->now);
    assert_true(w->round.is_under_way);
    round_look(w, r->now);
    assert_false(w->round.is_under_way);
    recorder_free(r);
}

static void nobody_is_waited_for_for_ever(void **state)
{
    struct recorder *r = fleet_new(0);

    (void)state;
    beat(r, "a", 0);
    struct world *w = fleet_world(r);
    round_begin(w, r->now);
    fleet_pass(r, ROUND_MOST_MS - 1000, "a");
    assert_true(w->round.is_under_way);
    fleet_pass(r, 2500, "a");
    assert_false(w->round.is_under_way);
    recorder_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_asked_until_they_have_told),
        cmocka_unit_test(one_that_is_under_way_goes_on),
        cmocka_unit_test(who_is_silent_is_not_waited_for),
        cmocka_unit_test(nodes_that_know_no_findings_are_not_waited_for),
        cmocka_unit_test(nobody_is_waited_for_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
