#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/log_repeats.h"

static struct buf captured;

static void capture(const char *line, size_t len)
{
    buf_reset(&captured);
    buf_add(&captured, line, len);
}

static size_t line_count;

static void count_line(const char *line, size_t len)
{
    line_count++;
    capture(line, len);
}

static int start_capture(void **state)
{
    (void)state;
    log_open("terrane-test", LOG_DEBUG, LOG_JSON);
    log_capture(capture);
    return 0;
}

static int stop_capture(void **state)
{
    (void)state;
    log_capture(NULL);
    buf_clear(&captured);
    return 0;
}

/* What stands behind the head of the last line, without the end of the line. */
static struct span captured_fields(void)
{
    struct span line = buf_span(&captured), mark = SPAN("\"process\":\"terrane-test\"");
    const char *at = memmem(line.ptr, line.len, mark.ptr, mark.len);
    assert_non_null(at);
    assert_true(span_ends(line, SPAN("}\n")));
    size_t from = (size_t)(at - line.ptr) + mark.len;
    return span_slice(line, from, line.len - 2);
}

static void assert_fields(const char *want)
{
    struct span got = captured_fields();
    if (!span_eq(got, span_str(want)))
        fail_msg("%.*s", SPAN_ARG(got));
    json_t *object = json_decode(buf_span(&captured));
    assert_true(json_is_object(object));
    json_decref(object);
}

static void every_line_has_time_level_event_and_process(void **state)
{
    (void)state;
    log_warn("link.lost", "");
    json_t *object = json_decode(buf_span(&captured));
    struct span ts, level, event, process;
    assert_true(json_get_span(object, "ts", &ts));
    assert_true(json_get_span(object, "level", &level));
    assert_true(json_get_span(object, "event", &event));
    assert_true(json_get_span(object, "process", &process));
    assert_int_equal(json_object_size(object), 4);
    assert_int_equal(ts.len, strlen("2024-01-02T03:04:05.678Z"));
    assert_int_equal(ts.ptr[10], 'T');
    assert_int_equal(ts.ptr[19], '.');
    assert_int_equal(ts.ptr[23], 'Z');
    assert_true(span_eq(level, SPAN("warn")));
    assert_true(span_eq(event, SPAN("link.lost")));
    assert_true(span_eq(process, SPAN("terrane-test")));
    json_decref(object);
}

static void numbers_are_written_bare(void **state)
{
    (void)state;
    log_info("e", "a=%d b=%u c=%zu d=%ld e=%lu f=%lld g=%llu", -1, 4294967295u, (size_t)3,
             -2147483649L, 4294967296UL, -9223372036854775807LL - 1, 18446744073709551615ULL);
    assert_fields(",\"a\":-1,\"b\":4294967295,\"c\":3,\"d\":-2147483649,\"e\":4294967296,"
                  "\"f\":-9223372036854775808,\"g\":18446744073709551615");
    log_info("e", "a=%" PRId64 " b=%" PRIu64, INT64_MIN, UINT64_MAX);
    assert_fields(",\"a\":-9223372036854775808,\"b\":18446744073709551615");
}

static void strings_are_quoted_and_escaped(void **state)
{
    (void)state;
    struct span s = SPAN("x\"y\n");
    log_info("e", "a=%s b=%.*s c=%s", "", SPAN_ARG(s), "caf\xC3\xA9");
    assert_fields(",\"a\":\"\",\"b\":\"x\\\"y\\n\",\"c\":\"caf\xC3\xA9\"");
    struct span binary = SPAN("\0\x1B[31m\x7F\xC2\x9B\xFF");
    log_info("e", "a=%.*s n=%d", SPAN_ARG(binary), 5);
    assert_fields(",\"a\":\"\\u0000\\u001b[31m\\u007f\\u009b\xEF\xBF\xBD\",\"n\":5");
    struct span none = {.ptr = NULL};
    log_info("e", "a=%.*s", SPAN_ARG(none));
    assert_fields(",\"a\":\"\"");
}

static void blanks_inside_of_a_string_do_not_end_the_field(void **state)
{
    (void)state;
    log_info("e", "a=%s b=%d", "one two b=3", 4);
    assert_fields(",\"a\":\"one two b=3\",\"b\":4");
}

static void literal_and_mixed_values_are_strings(void **state)
{
    (void)state;
    log_info("e", "reason=full addr=%s:%u took=%dms  n=%d", "::1", 80u, 7, 1);
    assert_fields(",\"reason\":\"full\",\"addr\":\"::1:80\",\"took\":\"7ms\",\"n\":1");
}

static void an_unknown_conversion_ends_the_fields(void **state)
{
    (void)state;
    log_info("e", "a=%d b=%x c=%d", 1, 2u, 3);
    assert_fields(",\"a\":1");
    log_info("e", "a=%d words without value", 1);
    assert_fields(",\"a\":1");
}

static void a_long_string_is_cut(void **state)
{
    (void)state;
    char *text = malloc(100001);
    assert_non_null(text);
    memset(text, 'a', 100000);
    text[100000] = '\0';
    log_info("e", "a=%s b=%d", text, 3);
    struct span fields = captured_fields();
    assert_true(fields.len < 2000);
    assert_true(span_ends(fields, SPAN("aaa...\",\"b\":3")));
    free(text);
}

static void levels_below_the_wanted_one_are_not_written(void **state)
{
    (void)state;
    log_open("terrane-test", LOG_WARN, LOG_JSON);
    log_error("kept", "");
    buf_reset(&captured);
    log_debug("e", "");
    log_info("e", "");
    assert_int_equal(captured.len, 0);
    log_warn("e", "");
    assert_true(captured.len > 0);
    assert_false(log_wants(LOG_INFO));
    assert_true(log_wants(LOG_WARN));
}

static void text_lines_quote_only_what_needs_it(void **state)
{
    (void)state;
    log_open("terrane-test", LOG_DEBUG, LOG_TEXT);
    log_info("session.open", "a=%s b=%s c=%d d=%s e=%s", "plain", "two words", -3, "", "\x1B[31m");
    struct span line = buf_span(&captured);
    assert_true(span_ends(line, SPAN(" info  session.open a=plain b=\"two words\" c=-3 d=\"\" "
                                     "e=\"\\u001b[31m\"\n")));
    assert_int_equal(span_index(line, ' '), strlen("2024-01-02T03:04:05.678Z"));
}

static void lines_go_to_stderr(void **state)
{
    (void)state;
    int pipe_fds[2], saved = dup(STDERR_FILENO);
    char line[512];
    assert_int_equal(pipe(pipe_fds), 0);
    assert_true(dup2(pipe_fds[1], STDERR_FILENO) >= 0);
    log_capture(NULL);
    log_open("terrane-test", LOG_INFO, LOG_AUTO); /* a pipe is no terminal: JSON */
    log_info("e", "a=%d", 1);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    ssize_t len = read(pipe_fds[0], line, sizeof line);
    assert_true(len > 0 && line[0] == '{' && line[len - 1] == '\n');
    (void)close(saved);
    (void)close(pipe_fds[0]);
    (void)close(pipe_fds[1]);
}

static void a_repeated_event_is_cut_off_and_told_at_the_end(void **state)
{
    (void)state;
    line_count = 0;
    log_capture(count_line);
    for (int i = 0; i < 1000; i++)
        log_warn("tls.failed", "n=%d", i);
    assert_in_range(line_count, LOG_REPEATS_BURST, LOG_REPEATS_BURST + 20);
    size_t written = line_count;
    log_close();
    assert_int_equal(line_count, written + 1);
    char want[64];
    (void)snprintf(want, sizeof want, ",\"event\":\"tls.failed\",\"count\":%zu", 1000 - written);
    assert_fields(want);
    assert_non_null(strstr(captured.data, "\"level\":\"warn\",\"event\":\"log.suppressed\""));
    log_close();
    assert_int_equal(line_count, written + 1);
}

static void debug_lines_and_those_of_the_process_are_all_written(void **state)
{
    (void)state;
    line_count = 0;
    log_capture(count_line);
    for (int i = 0; i < 100; i++) {
        log_debug("api.refused", "");
        log_info("process.reload", "");
    }
    assert_int_equal(line_count, 200);
}

static void other_events_go_on_beside_a_flood(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++)
        log_warn("tls.failed", "");
    log_info("world.taken", "n=%d", 7);
    assert_fields(",\"n\":7");
}

static void an_order_changes_the_level_until_its_time_is_over(void **state)
{
    (void)state;
    log_open("terrane-test", LOG_WARN, LOG_JSON);
    log_override(LOG_DEBUG, 5000);
    assert_fields(",\"level\":\"debug\",\"before\":\"warn\",\"why\":\"ordered\"");
    log_tick(4999);
    assert_int_equal(log_least(), LOG_DEBUG);
    log_tick(5000);
    assert_fields(",\"level\":\"warn\",\"before\":\"debug\",\"why\":\"over\"");
    assert_int_equal(log_least(), LOG_WARN);
    buf_reset(&captured);
    log_tick(6000);
    assert_int_equal(captured.len, 0);
}

static void settings_end_an_order(void **state)
{
    (void)state;
    log_override(LOG_ERROR, 0);
    log_tick(INT64_MAX);
    assert_int_equal(log_least(), LOG_ERROR);
    log_override(LOG_ERROR, 5000);
    log_set_level(LOG_INFO);
    buf_reset(&captured);
    log_tick(5000);
    assert_int_equal(log_least(), LOG_INFO);
    assert_int_equal(captured.len, 0);
}

int main(void)
{
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, start_capture, stop_capture)
    const struct CMUnitTest tests[] = {
        LOG_TEST(every_line_has_time_level_event_and_process),
        LOG_TEST(numbers_are_written_bare),
        LOG_TEST(strings_are_quoted_and_escaped),
        LOG_TEST(blanks_inside_of_a_string_do_not_end_the_field),
        LOG_TEST(literal_and_mixed_values_are_strings),
        LOG_TEST(an_unknown_conversion_ends_the_fields),
        LOG_TEST(a_long_string_is_cut),
        LOG_TEST(levels_below_the_wanted_one_are_not_written),
        LOG_TEST(text_lines_quote_only_what_needs_it),
        LOG_TEST(lines_go_to_stderr),
        LOG_TEST(a_repeated_event_is_cut_off_and_told_at_the_end),
        LOG_TEST(debug_lines_and_those_of_the_process_are_all_written),
        LOG_TEST(other_events_go_on_beside_a_flood),
        LOG_TEST(an_order_changes_the_level_until_its_time_is_over),
        LOG_TEST(settings_end_an_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
