#include "common/base/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct rate_limit ten = {.per_s = 10, .burst = 20};

static void spend_all(struct rate *r, int64_t now)
{
    for (uint32_t i = 0; i < ten.burst; i++)
        assert_true(rate_take(r, &ten, 1, now));
    assert_false(rate_take(r, &ten, 1, now));
}

static void a_new_bucket_gives_its_burst_and_no_more(void **state)
{
    struct rate r = {0};

    (void)state;
    spend_all(&r, 5000);
}

static void tokens_come_back_evenly_and_exactly(void **state)
{
    struct rate r = {0};

    (void)state;
    spend_all(&r, 0);
    assert_int_equal(rate_wait_ms(&r, &ten, 1, 0), 100);
    assert_int_equal(rate_wait_ms(&r, &ten, 3, 0), 300);
    assert_false(rate_take(&r, &ten, 1, 99));
    assert_true(rate_take(&r, &ten, 1, 100));
    assert_false(rate_take(&r, &ten, 1, 199));
    /* Half a token more than one. */
    assert_true(rate_take(&r, &ten, 1, 250));
    assert_int_equal(rate_wait_ms(&r, &ten, 1, 250), 50);
    assert_int_equal(rate_wait_ms(&r, &ten, 1, 300), 0);
}

static void rest_fills_the_bucket_and_never_over_it(void **state)
{
    struct rate r = {0};

    (void)state;
    spend_all(&r, 0);
    assert_int_equal(rate_wait_ms(&r, &ten, ten.burst, 0), 2000);
    spend_all(&r, 2000);
    spend_all(&r, 1000 * 1000);
    spend_all(&r, INT64_MAX - 1);
}

static void a_run_of_any_length_stays_below_its_rate(void **state)
{
    struct rate r = {0};
    unsigned taken = 0;

    (void)state;
    for (int64_t now = 0; now < 60 * 1000; now += 7)
        taken += rate_take(&r, &ten, 1, now);
    assert_in_range(taken, 20 + 599 - 1, 20 + 600);
}

static void several_are_taken_together_or_not_at_all(void **state)
{
    struct rate r = {0};

    (void)state;
    assert_true(rate_take(&r, &ten, 19, 0));
    assert_false(rate_take(&r, &ten, 2, 0));
    assert_true(rate_take(&r, &ten, 1, 0));
}

static void what_cannot_be_is_never(void **state)
{
    static const struct rate_limit once = {.per_s = 0, .burst = 1}, nothing = {0};
    struct rate r = {0};

    (void)state;
    assert_int_equal(rate_wait_ms(&r, &ten, 21, 0), INT64_MAX);
    assert_int_equal(rate_wait_ms(&r, &nothing, 1, 0), INT64_MAX);
    assert_true(rate_take(&r, &once, 1, 0));
    assert_int_equal(rate_wait_ms(&r, &once, 1, INT64_MAX), INT64_MAX);
}

static void a_clock_that_runs_backwards_gives_nothing(void **state)
{
    struct rate r = {0};

    (void)state;
    spend_all(&r, 1000);
    assert_false(rate_take(&r, &ten, 1, 0));
    assert_false(rate_take(&r, &ten, 1, 1000));
    assert_true(rate_take(&r, &ten, 1, 1100));
    assert_false(rate_take(&r, &ten, 1, 1050));
    assert_true(rate_take(&r, &ten, 1, 1200));
}

static void what_is_owed_is_paid_back_first_and_bounded(void **state)
{
    struct rate r = {0};

    (void)state;
    rate_owe(&r, &ten, 1, 5, 0);
    assert_true(rate_take(&r, &ten, 19, 0));
    assert_int_equal(rate_within(&r, &ten, 0, 0), 0);
    assert_int_equal(rate_within(&r, &ten, 3000, 0), 30);
    for (int i = 0; i < 100; i++)
        rate_owe(&r, &ten, 1, 5, 0);
    assert_int_equal(rate_within(&r, &ten, 500, 0), 0);
    assert_int_equal(rate_within(&r, &ten, 3000, 0), 25);
    assert_int_equal(rate_wait_ms(&r, &ten, 1, 0), 600);
    assert_false(rate_take(&r, &ten, 1, 599));
    assert_true(rate_take(&r, &ten, 1, 600));
    assert_int_equal(rate_within(&r, &ten, 0, 100000), ten.burst);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_bucket_gives_its_burst_and_no_more),
        cmocka_unit_test(tokens_come_back_evenly_and_exactly),
        cmocka_unit_test(rest_fills_the_bucket_and_never_over_it),
        cmocka_unit_test(a_run_of_any_length_stays_below_its_rate),
        cmocka_unit_test(several_are_taken_together_or_not_at_all),
        cmocka_unit_test(what_cannot_be_is_never),
        cmocka_unit_test(what_is_owed_is_paid_back_first_and_bounded),
        cmocka_unit_test(a_clock_that_runs_backwards_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
