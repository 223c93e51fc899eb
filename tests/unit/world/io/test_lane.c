#include "world/io/lane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PLACES = LANE_MAX + 3 };

static struct lanes lanes;
static struct lane_place places[PLACES];
static size_t went;
static struct loop *l;

static void on_turn(struct lane_place *p)
{
    assert_ptr_equal(p, &places[went]); /* first come, first served */
    went++;
}

static void enter_all(void)
{
    l = loop_new();
    lanes_init(&lanes, l);
    went = 0;
    memset(places, 0, sizeof(places));
    for (size_t i = 0; i < PLACES; i++)
        lane_enter(&lanes, &places[i], SPAN("http://a"), on_turn);
}

static void leave_all(void)
{
    for (size_t i = 0; i < PLACES; i++)
        lane_leave(&lanes, &places[i]);
    loop_turn(l, 0);
    lanes_clear(&lanes);
    loop_free(l);
}

static void so_many_go_and_the_others_wait_for_their_turn(void **state)
{
    (void)state;
    enter_all();
    assert_int_equal(went, LANE_MAX);
    lane_leave(&lanes, &places[7]);
    assert_int_equal(went, LANE_MAX); /* not inside the call */
    loop_turn(l, 0);
    assert_int_equal(went, LANE_MAX + 1);
    lane_leave(&lanes, &places[1]);
    lane_leave(&lanes, &places[2]);
    loop_turn(l, 0);
    assert_int_equal(went, PLACES);
    leave_all();
}

static void another_lane_is_free(void **state)
{
    (void)state;
    enter_all();
    size_t before = went;
    struct lane_place *expected = &places[went];
    lane_leave(&lanes, expected); /* it waited, and waits no more */
    lane_enter(&lanes, expected, SPAN("http://b"), on_turn);
    assert_int_equal(went, before + 1);
    leave_all();
}

static void who_waits_may_leave(void **state)
{
    (void)state;
    enter_all();
    lane_leave(&lanes, &places[PLACES - 1]);
    lane_leave(&lanes, &places[0]);
    lane_leave(&lanes, &places[1]);
    lane_leave(&lanes, &places[2]);
    loop_turn(l, 0);
    assert_int_equal(went, PLACES - 1);
    leave_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_go_and_the_others_wait_for_their_turn),
        cmocka_unit_test(another_lane_is_free),
        cmocka_unit_test(who_waits_may_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
