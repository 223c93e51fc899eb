#include "world/ctl/join_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_line_becomes_a_message(void **state)
{
    static const struct {
        const char *line, *want; /* NULL: none */
    } rows[] = {
        {"", NULL},
        {"  \t\r", NULL},
        {"hello", "\"hello\""},
        {" say \"hi\" ", "\"say \\\"hi\\\"\""},
        {"{\"a\": 1}", "{\"a\": 1}"},
        {"42", "42"},
        {"{\"a\":", "\"{\\\"a\\\":\""},
        {"/", "\"/\""},
        {"/ x", "\"/ x\""},
        {"/wave", "{\"action\":\"wave\",\"value\":null}"},
        {"/chat {\"text\":\"hi\"}", "{\"action\":\"chat\",\"value\":{\"text\":\"hi\"}}"},
        {"/chat hi  there", "{\"action\":\"chat\",\"value\":\"hi  there\"}"},
        {"/a\"b 1", "{\"action\":\"a\\\"b\",\"value\":1}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        assert_int_equal(join_line(&out, span_str(rows[i].line)), rows[i].want != NULL);
        if (!span_eq(buf_span(&out), span_str(rows[i].want)))
            fail_msg("%s: %.*s", rows[i].line, SPAN_ARG(buf_span(&out)));
        buf_clear(&out);
    }
}

static void closes_that_ask_for_it_bring_the_client_back(void **state)
{
    static const struct {
        uint16_t code;
        const char *reason;
        bool again;
        int64_t min, max;
    } rows[] = {
        {1012, "restart;retry=2000-10000", true, 2000, 10000},
        {1012, "restart;retry=0-0", true, 0, 0},
        {1012, "restart;retry=5-1", true, 1000, 5000},
        {1012, "restart;retry=1-999999", true, 1000, 5000},
        {1012, "restart;retry=x", true, 1000, 5000},
        {1012, "", true, 1000, 5000},
        {1013, "Room connection lost", true, 1000, 5000},
        {1006, "", true, 1000, 5000},
        {1008, "kicked", false, 1000, 5000},
        {1000, "", false, 1000, 5000},
        {4200, "slow consumer", false, 1000, 5000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t min, max;
        assert_int_equal(join_comes_again(rows[i].code, span_str(rows[i].reason), &min, &max),
                         rows[i].again);
        assert_int_equal(min, rows[i].min);
        assert_int_equal(max, rows[i].max);
    }
}

static void codes_that_the_library_does_not_know_are_told_by_their_reasons(void **state)
{
    (void)state;
    assert_int_equal(join_code(1002, SPAN("restart;retry=1-2")), 1012);
    assert_int_equal(join_code(1002, SPAN("Room connection lost")), 1013);
    assert_int_equal(join_code(1002, SPAN("buffers full")), 1013);
    assert_int_equal(join_code(1002, SPAN("bad frame")), 1002);
    assert_int_equal(join_code(1008, SPAN("restart")), 1008);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_becomes_a_message),
        cmocka_unit_test(closes_that_ask_for_it_bring_the_client_back),
        cmocka_unit_test(codes_that_the_library_does_not_know_are_told_by_their_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
