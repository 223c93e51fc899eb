#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/metrics.h"
#include "common/base/version.h"

struct stats {
    uint64_t open;
    uint64_t refused_full, refused_rate;
    struct histogram latency;
};

static const struct metric_row rows[] = {
    {"terrane_test_open", NULL, METRIC_GAUGE, "Open things.", offsetof(struct stats, open)},
    {"terrane_test_refused_total", "reason=\"full\"", METRIC_COUNTER, "Refusals by reason.",
     offsetof(struct stats, refused_full)},
    {"terrane_test_refused_total", "reason=\"rate\"", METRIC_COUNTER, NULL,
     offsetof(struct stats, refused_rate)},
    {"terrane_test_latency_seconds", "verb=\"connect\"", METRIC_HISTOGRAM, "Time to answer.",
     offsetof(struct stats, latency)},
};
enum { ROWS = sizeof rows / sizeof *rows };

static void assert_text(struct buf *got, const char *want)
{
    buf_add_char(got, '\0');
    assert_string_equal(got->data, want);
    buf_clear(got);
}

static bool holds(const struct buf *text, const char *part)
{
    return text->len > 0 && memmem(text->data, text->len, part, strlen(part)) != NULL;
}

static void numbers_are_rendered_with_help_and_type_once(void **state)
{
    (void)state;
    struct stats stats = {.open = 7, .refused_full = 1, .refused_rate = UINT64_MAX};
    struct buf out = {.len = 0};
    metrics_render(&out, rows, 3, &stats, false);
    assert_text(&out, "# HELP terrane_test_open Open things.\n"
                      "# TYPE terrane_test_open gauge\n"
                      "terrane_test_open 7\n"
                      "# HELP terrane_test_refused_total Refusals by reason.\n"
                      "# TYPE terrane_test_refused_total counter\n"
                      "terrane_test_refused_total{reason=\"full\"} 1\n"
                      "terrane_test_refused_total{reason=\"rate\"} 18446744073709551615\n");
}

static void openmetrics_names_the_family_of_a_counter_without_total(void **state)
{
    (void)state;
    struct stats stats = {.refused_full = 1};
    struct buf out = {.len = 0};
    metrics_render(&out, rows + 1, 2, &stats, true);
    metrics_render_end(&out, true);
    assert_text(&out, "# HELP terrane_test_refused Refusals by reason.\n"
                      "# TYPE terrane_test_refused counter\n"
                      "terrane_test_refused_total{reason=\"full\"} 1\n"
                      "terrane_test_refused_total{reason=\"rate\"} 0\n"
                      "# EOF\n");
}

static void only_openmetrics_has_an_end(void **state)
{
    (void)state;
    struct buf out = {.len = 0};
    metrics_render_end(&out, false);
    assert_int_equal(out.len, 0);
}

static void a_histogram_is_cumulative_and_in_seconds(void **state)
{
    (void)state;
    struct stats stats = {.open = 0};
    static const int64_t times_us[] = {-5, 0, 50, 51, 1000, 999999, 1000001, 10000000, 10000001};
    for (size_t i = 0; i < sizeof times_us / sizeof *times_us; i++)
        histogram_add(&stats.latency, times_us[i]);
    struct buf out = {.len = 0};
    metrics_render(&out, rows + 3, 1, &stats, false);
#define BUCKET(le, n) "terrane_test_latency_seconds_bucket{verb=\"connect\",le=\"" le "\"} " n "\n"
    assert_text(
        &out,
        "# HELP terrane_test_latency_seconds Time to answer.\n"
        "# TYPE terrane_test_latency_seconds histogram\n" BUCKET("5e-05", "3") BUCKET("0.0001", "4")
            BUCKET("0.00025", "4") BUCKET("0.0005", "4") BUCKET("0.001", "5") BUCKET("0.0025", "5")
                BUCKET("0.005", "5") BUCKET("0.01", "5") BUCKET("0.025", "5") BUCKET("0.05", "5")
                    BUCKET("0.1", "5") BUCKET("0.25", "5") BUCKET("0.5", "5") BUCKET("1.0", "6")
                        BUCKET("2.5", "7") BUCKET("5.0", "7") BUCKET("10.0", "8") BUCKET(
                            "+Inf",
                            "9") "terrane_test_latency_seconds_sum{verb=\"connect\"} 22.001102\n"
                                 "terrane_test_latency_seconds_count{verb=\"connect\"} 9\n");
}

static void a_histogram_without_labels_has_only_its_bounds(void **state)
{
    (void)state;
    static const struct metric_row row = {"t_seconds", NULL, METRIC_HISTOGRAM, "T.", 0};
    struct histogram h = {.count = 0};
    struct buf out = {.len = 0};
    metrics_render(&out, &row, 1, &h, true);
    assert_true(holds(&out, "t_seconds_bucket{le=\"+Inf\"} 0\n"));
    assert_true(holds(&out, "t_seconds_sum 0.000000\nt_seconds_count 0\n"));
    buf_clear(&out);
}

/* The value of the process's metric `name`. */
static double process_value(const char *name)
{
    struct buf out = {.len = 0}, key = {.len = 0};
    metrics_render_process(&out, false);
    buf_addf(&key, "\n%s ", name);
    buf_add_char(&out, '\0');
    buf_add_char(&key, '\0');
    const char *at = strstr(out.data, key.data);
    assert_non_null(at);
    double value = strtod(at + key.len - 1, NULL);
    buf_clear(&out);
    buf_clear(&key);
    return value;
}

static void the_process_tells_about_itself(void **state)
{
    (void)state;
    double now_s = (double)clock_wall_ms() / 1000;
    assert_true(process_value("process_cpu_seconds_total") > 0);
    assert_true(process_value("process_resident_memory_bytes") > 100000);
    assert_true(process_value("process_max_fds") >= 3);
    /* The test began moments ago; a boot time in whole seconds is a second off. */
    double started = process_value("process_start_time_seconds");
    assert_true(started > now_s - 3600 && started < now_s + 5);
}

static void an_open_descriptor_is_counted(void **state)
{
    (void)state;
    double before = process_value("process_open_fds");
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(process_value("process_open_fds") > before);
    assert_int_equal(close(fd), 0);
    assert_true(process_value("process_open_fds") <= before);
}

static void the_build_is_named_in_both_formats(void **state)
{
    (void)state;
    struct buf text = {.len = 0}, open = {.len = 0};
    metrics_render_process(&text, false);
    metrics_render_process(&open, true);
    const char *sample = "terrane_build_info{version=\"" TERRANE_VERSION "\"} 1\n";
    assert_true(holds(&text, "# TYPE terrane_build_info gauge\n"));
    assert_true(holds(&open, "# TYPE terrane_build info\n"));
    assert_true(holds(&text, sample) && holds(&open, sample));
    assert_true(holds(&open, "# TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total "));
    buf_clear(&text);
    buf_clear(&open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_rendered_with_help_and_type_once),
        cmocka_unit_test(openmetrics_names_the_family_of_a_counter_without_total),
        cmocka_unit_test(only_openmetrics_has_an_end),
        cmocka_unit_test(a_histogram_is_cumulative_and_in_seconds),
        cmocka_unit_test(a_histogram_without_labels_has_only_its_bounds),
        cmocka_unit_test(the_process_tells_about_itself),
        cmocka_unit_test(an_open_descriptor_is_counted),
        cmocka_unit_test(the_build_is_named_in_both_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
