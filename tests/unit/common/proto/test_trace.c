#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "common/proto/trace.h"

#define ID     "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static void a_traceparent_is_read_and_written(void **state)
{
    (void)state;
    struct trace t;
    struct buf out = {0};
    assert_true(trace_read(&t, SPAN("00-" ID "-" PARENT "-01")));
    assert_string_equal(t.id, ID);
    assert_string_equal(t.span, PARENT);
    trace_add(&out, &t);
    assert_true(span_eq(buf_span(&out), SPAN("00-" ID "-" PARENT "-01")));
    buf_reset(&out);
    trace_add_line(&out, &t);
    assert_true(span_eq(buf_span(&out), SPAN("traceparent: 00-" ID "-" PARENT "-01\r\n")));
    buf_clear(&out);
}

static void what_is_no_traceparent_is_none(void **state)
{
    (void)state;
    struct trace t;
    static const char *const bad[] = {
        "",
        "00",
        "00-" ID "-" PARENT,
        "00-" ID "-" PARENT "-0",
        "00-" ID "-" PARENT "-01-",
        "00-" ID "-" PARENT "-0g",
        "ff-" ID "-" PARENT "-01",
        "0g-" ID "-" PARENT "-01",
        "01-" ID "-" PARENT "-01x",
        "00_" ID "-" PARENT "-01",
        "00-" ID "_" PARENT "-01",
        "00-" ID "-" PARENT "_01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" ID "-0000000000000000-01",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (trace_read(&t, span_str(bad[i])))
            fail_msg("%s", bad[i]);
        assert_true(trace_is_none(&t));
    }
    assert_true(trace_read(&t, SPAN("01-" ID "-" PARENT "-01")));
    assert_true(trace_read(&t, SPAN("cc-" ID "-" PARENT "-01-what-comes")));
}

static void take(struct trace *t, struct http_head *h, char *bytes)
{
    assert_int_equal(http_head_parse_request(h, bytes, strlen(bytes)), ERR_OK);
    trace_take(t, h, bytes);
}

static void a_request_gets_a_span_of_ours(void **state)
{
    (void)state;
    struct trace t;
    struct http_head h;
    char bytes[] = "GET / HTTP/1.1\r\nHost: a\r\nTraceParent: cc-" ID "-" PARENT
                   "-01-more\r\ntracestate: a=b\r\n\r\n";
    take(&t, &h, bytes);
    assert_string_equal(t.id, ID);
    assert_string_not_equal(t.span, PARENT);
    struct span value = http_head_get(&h, SPAN("traceparent"));
    assert_int_equal(value.len, TRACE_PARENT_LEN);
    assert_memory_equal(value.ptr, "00-" ID "-", 36);
    assert_memory_equal(value.ptr + 36, t.span, TRACE_SPAN_LEN);
    assert_memory_equal(value.ptr + 52, "-01", 3);
    struct trace other = t;
    trace_child(&other);
    assert_string_not_equal(other.span, t.span);
}

static void without_one_good_header_nothing_changes(void **state)
{
    (void)state;
    struct trace t;
    struct http_head h;
    char none[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    char bad[] = "GET / HTTP/1.1\r\nHost: a\r\ntraceparent: nonsense\r\n\r\n";
    char two[] = "GET / HTTP/1.1\r\nHost: a\r\ntraceparent: 00-" ID "-" PARENT
                 "-01\r\ntraceparent: 00-" ID "-" PARENT "-01\r\n\r\n";
    char *const heads[] = {none, bad, two};
    for (size_t i = 0; i < 3; i++) {
        char *before = strdup(heads[i]);
        take(&t, &h, heads[i]);
        assert_true(trace_is_none(&t));
        assert_string_equal(before, heads[i]);
        free(before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_traceparent_is_read_and_written),
        cmocka_unit_test(what_is_no_traceparent_is_none),
        cmocka_unit_test(a_request_gets_a_span_of_ours),
        cmocka_unit_test(without_one_good_header_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
