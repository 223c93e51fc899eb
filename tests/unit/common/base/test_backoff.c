#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/backoff.h"

static void waits_lie_between_the_floor_and_a_doubling_ceiling(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 5);
    for (int run = 0; run < 200; run++) {
        struct backoff b = {.min_ms = 100, .max_ms = 5000};
        int64_t top = 200;
        for (int n = 0; n < 20; n++, top *= 2)
            assert_in_range(backoff_next(&b, &rng), 100, top < 5000 ? top : 5000);
    }
}

static void late_waits_use_the_whole_range(void **state)
{
    (void)state;
    struct rng rng;
    struct backoff b = {.min_ms = 100, .max_ms = 1000, .tries = 10};
    int64_t low = INT64_MAX, high = 0;
    rng_seed(&rng, 5);
    for (int n = 0; n < 20000; n++) {
        int64_t wait = backoff_next(&b, &rng);
        low = wait < low ? wait : low;
        high = wait > high ? wait : high;
    }
    assert_int_equal(low, 100);
    assert_int_equal(high, 1000);
}

static void a_reset_starts_over(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 5);
    struct backoff b = {.min_ms = 10, .max_ms = 100000};
    for (int n = 0; n < 10; n++)
        (void)backoff_next(&b, &rng);
    backoff_reset(&b);
    for (int n = 0; n < 100; n++) {
        assert_in_range(backoff_next(&b, &rng), 10, 20);
        backoff_reset(&b);
    }
}

static void odd_bounds_are_harmless(void **state)
{
    static const struct {
        int64_t min, max, top;
    } rows[] = {{0, 0, 0}, {0, 1000, 0}, {50, 50, 50}, {50, 10, 50}, {1, INT64_MAX, INT64_MAX}};
    (void)state;
    struct rng rng;
    rng_seed(&rng, 5);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct backoff b = {.min_ms = rows[i].min, .max_ms = rows[i].max};
        for (int n = 0; n < 200; n++) {
            int64_t wait = backoff_next(&b, &rng);
            assert_true(wait >= rows[i].min && wait <= rows[i].top);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_lie_between_the_floor_and_a_doubling_ceiling),
        cmocka_unit_test(late_waits_use_the_whole_range),
        cmocka_unit_test(a_reset_starts_over),
        cmocka_unit_test(odd_bounds_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
