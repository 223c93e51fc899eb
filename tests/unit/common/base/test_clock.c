#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "common/base/clock.h"

static void the_monotonic_clock_does_not_go_back(void **state)
{
    (void)state;
    int64_t last = clock_mono_us();
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_mono_us();
        assert_true(now >= last);
        last = now;
    }
}

static void milliseconds_and_microseconds_tell_the_same_time(void **state)
{
    (void)state;
    int64_t before = clock_mono_us(), ms = clock_mono_ms(), after = clock_mono_us();
    assert_true(before / 1000 <= ms && ms <= after / 1000);
}

static void the_wall_clock_counts_from_1970(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL), ms = clock_wall_ms();
    assert_true(ms / 1000 >= before - 1 && ms / 1000 <= before + 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_monotonic_clock_does_not_go_back),
        cmocka_unit_test(milliseconds_and_microseconds_tell_the_same_time),
        cmocka_unit_test(the_wall_clock_counts_from_1970),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
