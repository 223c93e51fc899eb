/* Names of strangers on a terminal. */
#include "world/ctl/text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "world/ctl/glyph.h"

static const struct {
    const char *text, *shown;
    int cells;
} rows[] = {
    {"lobby", "lobby", 5},
    {"a\033[31m", "a\\x1b[31m", 9},
    {"a\nb\tc", "a\\nb\\tc", 7},
    {"\xc2\x9b", "\\x9b", 4},
    {"\xe2\x80\xae!", "\\u202e!", 7},
    {"\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac", 4},
    {"\xef\xbb\xbf", "\\ufeff", 6},
    {"e\xcc\x81", "e\xcc\x81", 1},
    {"\xff", "\xef\xbf\xbd", 1},
    {"", "", 0},
};

static void nothing_acts_on_the_terminal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out = {0};
        text_add(&out, span_str(rows[i].text));
        assert_true(span_eq(buf_span(&out), span_str(rows[i].shown)));
        buf_clear(&out);
    }
}

static void cells_are_counted_as_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(glyph_width(span_str(rows[i].shown)), rows[i].cells);
}

static void json_stays_json(void **state)
{
    struct buf out = {0};

    (void)state;
    text_add_json(&out, SPAN("{\n  \"a\": \"\xc2\x9b\xe2\x80\xae\x7f\xc3\xa9\"}"));
    assert_true(span_eq(buf_span(&out), SPAN("{\n  \"a\": \"\\u009b\\u202e\\u007f\xc3\xa9\"}")));
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acts_on_the_terminal),
        cmocka_unit_test(cells_are_counted_as_shown),
        cmocka_unit_test(json_stays_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
