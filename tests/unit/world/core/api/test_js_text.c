#include "world/core/api/js_text.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void numbers_are_written_as_in_javascript(void **state)
{
    static const struct {
        double number;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "0"},
        {5, "5"},
        {-5, "-5"},
        {0.1, "0.1"},
        {1.5, "1.5"},
        {-12.75, "-12.75"},
        {100, "100"},
        {1e20, "100000000000000000000"},
        {123456789012345680000.0, "123456789012345680000"},
        {1e21, "1e+21"},
        {1.5e21, "1.5e+21"},
        {-1e21, "-1e+21"},
        {0.000001, "0.000001"},
        {0.0000015, "0.0000015"},
        {0.0000001, "1e-7"},
        {1.5e-9, "1.5e-9"},
        {0.1 + 0.2, "0.30000000000000004"},
        {9007199254740993.0, "9007199254740992"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {4.9406564584124654e-324, "5e-324"},
        {1.0 / 3, "0.3333333333333333"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out = {0};
        js_text_add_number(&out, rows[i].number);
        buf_add_char(&out, '\0');
        assert_string_equal(out.data, rows[i].text);
        buf_clear(&out);
    }
}

static void values_are_written_as_by_string(void **state)
{
    static const struct {
        const char *json, *text;
    } rows[] = {
        {"true", "true"},
        {"false", "false"},
        {"null", "null"},
        {"\"x\\ny\"", "x\ny"},
        {"{\"a\":1}", "[object Object]"},
        {"[]", ""},
        {"[\"x\",\"y\"]", "x,y"},
        {"[null,1,[2,[3]],{}]", ",1,2,3,[object Object]"},
        {"[true,null]", "true,"},
        {"1e21", "1e+21"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *value = json_decode(span_str(rows[i].json));
        struct buf out = {0};
        assert_non_null(value);
        js_text_add(&out, value);
        buf_add_char(&out, '\0');
        assert_string_equal(out.data, rows[i].text);
        buf_clear(&out);
        json_decref(value);
    }
}

static void truth_is_that_of_javascript(void **state)
{
    static const struct {
        const char *json;
        bool is_true;
    } rows[] = {
        {"true", true}, {"false", false}, {"null", false}, {"0", false},
        {"-0", false},  {"0.1", true},    {"\"\"", false}, {"\"false\"", true},
        {"[]", true},   {"{}", true},     {"\"0\"", true}, {"\"\\u0000\"", true},
    };

    (void)state;
    assert_false(js_is_true(NULL));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *value = json_decode(span_str(rows[i].json));
        assert_non_null(value);
        assert_int_equal(js_is_true(value), rows[i].is_true);
        json_decref(value);
    }
}

static void blank_is_what_trim_takes_off(void **state)
{
    static const struct {
        struct span text;
        bool blank;
    } rows[] = {
        {{NULL, 0}, true},
        {{" \t\r\n\v\f", 6}, true},
        {{"\xc2\xa0\xe2\x80\xa8\xef\xbb\xbf\xe3\x80\x80", 11}, true},
        {{" x ", 3}, false},
        {{"\0", 1}, false},
        {{"\xe2\x80", 2}, false},
        {{"\xe2\x80\x8b", 3}, false}, /* a zero width space is no blank */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(js_is_blank(rows[i].text), rows[i].blank);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_as_in_javascript),
        cmocka_unit_test(values_are_written_as_by_string),
        cmocka_unit_test(truth_is_that_of_javascript),
        cmocka_unit_test(blank_is_what_trim_takes_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
