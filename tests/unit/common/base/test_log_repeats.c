#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "common/base/log_repeats.h"

static void twenty_lines_come_at_once_and_then_ten_a_second(void **state)
{
    (void)state;
    struct log_repeats r = {.used = 0};
    struct log_repeat *e = log_repeats_of(&r, "e");
    for (int i = 0; i < LOG_REPEATS_BURST; i++)
        assert_true(log_repeat_take(e, 1, 5000));
    assert_false(log_repeat_take(e, 1, 5000));
    assert_false(log_repeat_take(e, 1, 5099));
    assert_true(log_repeat_take(e, 1, 5100));
    assert_false(log_repeat_take(e, 1, 5199));
}

static void what_was_suppressed_is_told_once_a_second(void **state)
{
    (void)state;
    struct log_repeats r = {.used = 0};
    struct log_repeat *e = log_repeats_of(&r, "e");
    uint64_t told = 0;
    unsigned lines = 0, written = 0, times = 0;
    for (int64_t now = 1000; now < 11000; now++, lines++) {
        if (!log_repeat_take(e, 1, now))
            continue;
        written++;
        uint64_t count = log_repeat_due(e, now);
        told += count;
        times += count > 0;
    }
    assert_int_equal(written, LOG_REPEATS_BURST + 99);
    assert_in_range(times, 8, 10);
    assert_int_equal(told + e->count + written, lines);
}

static void events_have_a_bucket_each_and_the_last_is_shared(void **state)
{
    (void)state;
    struct log_repeats r = {.used = 0};
    static char names[2 * LOG_REPEATS_EVENTS][8];
    for (size_t i = 0; i < 2 * LOG_REPEATS_EVENTS; i++) {
        (void)snprintf(names[i], sizeof names[i], "e%zu", i);
        struct log_repeat *e = log_repeats_of(&r, names[i]);
        assert_ptr_equal(e, &r.events[i < LOG_REPEATS_EVENTS ? i : LOG_REPEATS_EVENTS - 1]);
    }
    char same[] = "e1";
    assert_ptr_equal(log_repeats_of(&r, same), &r.events[1]);
    assert_int_equal(r.used, LOG_REPEATS_EVENTS);
    assert_string_equal(r.events[LOG_REPEATS_EVENTS - 1].event, "others");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_lines_come_at_once_and_then_ten_a_second),
        cmocka_unit_test(what_was_suppressed_is_told_once_a_second),
        cmocka_unit_test(events_have_a_bucket_each_and_the_last_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
