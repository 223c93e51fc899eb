#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/measure.h"

static const struct measure_unit units[] = {{"", 1}, {"k", 1000}, {"kk", 1000000}};
enum { UNITS = sizeof units / sizeof *units };

static void a_number_counts_in_its_unit(void **state)
{
    static const struct {
        const char *text;
        int64_t n;
    } rows[] = {
        {"7", 7}, {"0", 0}, {"7k", 7000}, {"12kk", 12000000}, {"9223372036854775807", INT64_MAX}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t n = -1;
        assert_int_equal(measure_read(span_str(rows[i].text), units, UNITS, &n), ERR_OK);
        assert_int_equal(n, rows[i].n);
    }
    (void)state;
}

static void what_is_no_measure_is_refused(void **state)
{
    static const char *const texts[] = {"",
                                        "k",
                                        "-1",
                                        "+1",
                                        " 1",
                                        "1 k",
                                        "1K",
                                        "1m",
                                        "1.5",
                                        "1kkk",
                                        "k1",
                                        "0x1k",
                                        "99999999999999999999m"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t n;
        assert_int_equal(measure_read(span_str(texts[i]), units, UNITS, &n), ERR_SYNTAX);
    }
    (void)state;
}

static void what_does_not_fit_is_over_a_limit(void **state)
{
    static const char *const texts[] = {"9223372036854775808", "9223372036854776k",
                                        "99999999999999999999"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t n;
        assert_int_equal(measure_read(span_str(texts[i]), units, UNITS, &n), ERR_LIMIT);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_counts_in_its_unit),
        cmocka_unit_test(what_is_no_measure_is_refused),
        cmocka_unit_test(what_does_not_fit_is_over_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
