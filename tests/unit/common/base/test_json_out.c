#include "common/base/json_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void commas_stand_between_members_only(void **state)
{
    struct buf text = {0};
    struct json_out o = {.out = &text};

    (void)state;
    json_out_open(&o, NULL, '{');
    json_out_text(&o, "a", SPAN("x\"y"));
    json_out_open(&o, "b", '[');
    json_out_u64(&o, NULL, UINT64_MAX);
    json_out_i64(&o, NULL, -1);
    json_out_open(&o, NULL, '{');
    json_out_close(&o, '}');
    json_out_close(&o, ']');
    json_out_bool(&o, "c", true);
    json_out_null(&o, "d");
    json_out_raw(&o, "e", SPAN("[1]"));
    json_out_close(&o, '}');
    buf_add_char(&text, '\0');
    assert_string_equal(text.data, "{\"a\":\"x\\\"y\",\"b\":[18446744073709551615,-1,{}],"
                                   "\"c\":true,\"d\":null,\"e\":[1]}");
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(commas_stand_between_members_only)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
