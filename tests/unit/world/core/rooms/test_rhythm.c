#include "world/core/rooms/rhythm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void nothing_is_known_before_eight_reports(void **state)
{
    struct rhythm r = {0};

    (void)state;
    for (int i = 0; i < 8; i++) {
        assert_true(rhythm_quiet_ms(&r) == INT64_MAX);
        rhythm_note(&r, 1000);
    }
    assert_int_equal(rhythm_quiet_ms(&r), RHYTHM_QUIET_MIN_MS);
}

static void the_longest_of_the_last_gaps_counts_three_times(void **state)
{
    struct rhythm r = {0};

    (void)state;
    rhythm_note(&r, 500000); /* before the first there is no gap */
    rhythm_note(&r, 60000);
    for (int i = 0; i < 6; i++) {
        rhythm_note(&r, 40000);
        assert_true(rhythm_quiet_ms(&r) == (i < 5 ? INT64_MAX : 180000));
    }
    rhythm_note(&r, 40000);
    assert_int_equal(rhythm_quiet_ms(&r), 120000);
}

static void odd_gaps_are_bounded(void **state)
{
    struct rhythm r = {0};

    (void)state;
    for (int i = 0; i < 8; i++)
        rhythm_note(&r, i % 2 ? INT64_MAX : -5);
    assert_int_equal(rhythm_quiet_ms(&r), (int64_t)UINT32_MAX * 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_before_eight_reports),
        cmocka_unit_test(the_longest_of_the_last_gaps_counts_three_times),
        cmocka_unit_test(odd_gaps_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
