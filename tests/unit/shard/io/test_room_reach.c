/* Which room servers are reached. */
#include "shard/io/room_reach.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(struct room_reach *r, int64_t now, uint64_t reachable, uint64_t unreachable)
{
    struct room_reach_count count = room_reach_count(r, now);
    assert_int_equal(count.reachable, reachable);
    assert_int_equal(count.unreachable, unreachable);
}

static void each_server_counts_once_by_its_last_dial(void **state)
{
    (void)state;
    struct room_reach r = {0};
    struct reached *a = room_reach_dial(&r, SPAN("http://a:1"));
    expect(&r, 0, 0, 0);
    room_reach_found(a);
    assert_ptr_equal(room_reach_dial(&r, SPAN("http://a:1")), a);
    struct reached *b = room_reach_dial(&r, SPAN("http://b:1"));
    room_reach_missed(b);
    expect(&r, 0, 1, 1);
    room_reach_missed(a);
    expect(&r, 0, 0, 2);
    room_reach_found(b);
    expect(&r, 0, 1, 1);
    room_reach_clear(&r);
}

static void only_a_change_is_news(void **state)
{
    (void)state;
    struct room_reach r = {0};
    struct reached *a = room_reach_dial(&r, SPAN("http://a:1"));
    assert_false(room_reach_found(a));
    assert_true(room_reach_missed(a));
    assert_false(room_reach_missed(a));
    assert_true(room_reach_found(a));
    assert_false(room_reach_found(a));
    struct reached *b = room_reach_dial(&r, SPAN("http://b:1"));
    assert_true(room_reach_missed(b));
    room_reach_clear(&r);
}

static void server_that_nobody_needs_is_forgotten_after_a_while(void **state)
{
    (void)state;
    struct room_reach r = {0};
    struct reached *a = room_reach_dial(&r, SPAN("http://a:1"));
    struct reached *b = room_reach_dial(&r, SPAN("http://b:1"));
    room_reach_missed(a);
    room_reach_found(b);
    room_reach_leave(a, 1000);
    expect(&r, 1000 + ROOM_REACH_MS - 1, 1, 1);
    expect(&r, 1000 + ROOM_REACH_MS, 1, 0);
    room_reach_leave(b, 2000);
    expect(&r, 2000 + ROOM_REACH_MS, 0, 0);
    assert_int_equal(r.servers.count, 0);
    room_reach_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_server_counts_once_by_its_last_dial),
        cmocka_unit_test(only_a_change_is_news),
        cmocka_unit_test(server_that_nobody_needs_is_forgotten_after_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
