#include "world/core/rooms/reservations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/rng.h"

static void add(struct reservations *rs, int64_t due_ms, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        reservations_add(rs, due_ms);
    reservations_check(rs);
}

static uint64_t take_first(struct reservations *rs, uint64_t max, int64_t expected_ms)
{
    int64_t due_ms = 0;
    uint64_t count = reservations_take_first(rs, max, &due_ms);

    reservations_check(rs);
    assert_int_equal(due_ms, expected_ms);
    return count;
}

static void the_oldest_are_taken_first(void **state)
{
    struct reservations rs = {0};

    (void)state;
    add(&rs, 100, 3);
    add(&rs, 150, 2);
    assert_int_equal(rs.total, 5);
    assert_int_equal(reservations_due_ms(&rs), 100);
    assert_int_equal(take_first(&rs, 2, 100), 2);
    assert_int_equal(take_first(&rs, 9, 100), 1);
    assert_int_equal(take_first(&rs, 9, 150), 2);
    assert_int_equal(take_first(&rs, 9, 0), 0);
    assert_int_equal(reservations_due_ms(&rs), INT64_MAX);
    reservations_clear(&rs);
}

static void those_in_the_middle_can_go(void **state)
{
    struct reservations rs = {0};

    (void)state;
    for (int64_t due_ms = 100; due_ms <= 500; due_ms += 100)
        add(&rs, due_ms, 2);
    reservations_take(&rs, 300, 2);
    reservations_take(&rs, 500, 1);
    reservations_check(&rs);
    assert_int_equal(take_first(&rs, 9, 100), 2);
    assert_int_equal(take_first(&rs, 9, 200), 2);
    assert_int_equal(take_first(&rs, 9, 400), 2);
    reservations_take(&rs, 500, 1);
    assert_int_equal(rs.total, 0);
    assert_int_equal(rs.len, 0);
    reservations_clear(&rs);
}

static void a_ring_grows_round_its_end_and_is_given_back(void **state)
{
    struct reservations rs = {0};

    (void)state;
    for (int64_t i = 0; i < 3; i++)
        add(&rs, i, 1);
    assert_int_equal(take_first(&rs, 9, 0), 1);
    assert_int_equal(take_first(&rs, 9, 1), 1);
    for (int64_t i = 3; i < 100; i++)
        add(&rs, i, 1);
    assert_int_equal(rs.total, 98);
    for (int64_t i = 2; i < 100; i++)
        assert_int_equal(take_first(&rs, 9, i), 1);
    assert_null(rs.ring);
}

static void counts_hold_under_random_use(void **state)
{
    struct reservations rs = {0};
    uint64_t counts[400] = {0}, total = 0;
    struct rng rng;

    (void)state;
    rng_seed(&rng, 3);
    for (uint32_t step = 0; step < 4000; step++) {
        uint32_t now = step / 10, at = (uint32_t)rng_below(&rng, now + 1);
        if (rng_below(&rng, 2) == 0) {
            reservations_add(&rs, now);
            counts[now]++;
            total++;
        } else if (counts[at] > 0) {
            reservations_take(&rs, at, 1);
            counts[at]--;
            total--;
        }
        reservations_check(&rs);
        assert_int_equal(rs.total, total);
    }
    for (int64_t i = 0; i < 400; i++) {
        if (counts[i] > 0)
            assert_int_equal(take_first(&rs, UINT64_MAX, i), counts[i]);
    }
    assert_int_equal(rs.total, 0);
    reservations_clear(&rs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_are_taken_first),
        cmocka_unit_test(those_in_the_middle_can_go),
        cmocka_unit_test(a_ring_grows_round_its_end_and_is_given_back),
        cmocka_unit_test(counts_hold_under_random_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
