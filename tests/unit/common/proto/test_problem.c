/* Problem details. */
#include "common/proto/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void text_is_told_twice_and_escaped(void **state)
{
    struct buf out = {0};

    (void)state;
    problem_open(&out, 404, SPAN("no \"x\""), "");
    BUF_ADD_LIT(&out, ",\"more\":1}");
    buf_add_char(&out, '\0');
    assert_string_equal(out.data,
                        "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
                        "\"detail\":\"no \\\"x\\\"\",\"error\":\"no \\\"x\\\"\",\"more\":1}");
    buf_clear(&out);
}

static void trace_is_told(void **state)
{
    struct buf out = {0};

    (void)state;
    problem_open(&out, 404, SPAN("t"), "0af7651916cd43dd8448eb211c80319c");
    buf_add_char(&out, '\0');
    assert_string_equal(out.data,
                        "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
                        "\"detail\":\"t\",\"error\":\"t\","
                        "\"trace\":\"0af7651916cd43dd8448eb211c80319c\"");
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trace_is_told),
        cmocka_unit_test(text_is_told_twice_and_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
