#include "world/ctl/canvas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "world/ctl/glyph.h"

static void row_is(const struct canvas *c, int row, const char *want)
{
    struct buf text = {0};
    canvas_add_row(c, row, &text);
    if (!span_eq(buf_span(&text), span_str(want)))
        fail_msg("\"%.*s\", not \"%s\"", SPAN_ARG(buf_span(&text)), want);
    buf_clear(&text);
}

static void text_is_cut_to_its_columns(void **state)
{
    static const struct {
        const char *text;
        int width, used;
        const char *want;
    } rows[] = {
        {"lobby", 8, 5, "lobby"},
        {"lobby", 5, 5, "lobby"},
        {"lobby", 4, 4, "lob…"},
        {"lobby", 1, 1, "…"},
        {"lobby", 0, 0, ""},
        {"", 5, 0, ""},
        {"日本", 4, 4, "日本"},
        {"日本", 3, 3, "日…"},
        {"日本", 2, 1, "…"},
        {"Zoe\xcc\x88!", 4, 4, "Zoe\xcc\x88!"},
        {"a long name that goes on", -1, 10, "a long na…"},
    };
    struct canvas c = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        canvas_reset(&c, 10, 1);
        assert_int_equal(canvas_put(&c, 0, 0, rows[i].width, INK_GOOD, span_str(rows[i].text)),
                         rows[i].used);
        row_is(&c, 0, rows[i].want);
    }
    canvas_clear(&c);
}

static void what_lies_outside_is_not_drawn(void **state)
{
    struct canvas c = {0};
    (void)state;
    canvas_reset(&c, 6, 2);
    assert_int_equal(canvas_put(&c, 2, 0, -1, INK_PLAIN, SPAN("below")), 0);
    assert_int_equal(canvas_put(&c, -1, 0, -1, INK_PLAIN, SPAN("above")), 0);
    assert_int_equal(canvas_put(&c, 0, 6, -1, INK_PLAIN, SPAN("right")), 0);
    canvas_ink(&c, 7, INK_BAD);
    canvas_put_right(&c, 1, 0, 6, INK_WARN, SPAN("42"));
    row_is(&c, 0, "");
    row_is(&c, 1, "    42");
    assert_int_equal(canvas_at(&c, 1, 5)->ink, INK_WARN);
    canvas_ink(&c, 1, INK_PICKED);
    assert_int_equal(canvas_at(&c, 1, 0)->ink, INK_PICKED);
    canvas_reset(&c, 0, 0);
    assert_int_equal(canvas_put(&c, 0, 0, -1, INK_PLAIN, SPAN("x")), 0);
    canvas_clear(&c);
}

static void names_cannot_steer_the_terminal(void **state)
{
    struct canvas c = {0};
    (void)state;
    canvas_reset(&c, 20, 1);
    (void)canvas_put(&c, 0, 0, -1, INK_PLAIN, SPAN("\x1b[31m\x07\xc2\x9b\xff\xe2\x80\xaex\n"));
    row_is(&c, 0, "\xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\xef\xbf\xbd");
    canvas_clear(&c);
}

static void code_points_come_back_as_they_were(void **state)
{
    static const uint32_t points[] = {'a', 0x7e, 0xe9, 0x7ff, 0x20ac, 0xd7ff, 0x10348, 0x10ffff};
    (void)state;
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        struct buf text = {0};
        glyph_add(&text, points[i]);
        struct span rest = buf_span(&text);
        assert_int_equal(glyph_next(&rest), points[i]);
        assert_int_equal(rest.len, 0);
        buf_clear(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_cut_to_its_columns),
        cmocka_unit_test(what_lies_outside_is_not_drawn),
        cmocka_unit_test(names_cannot_steer_the_terminal),
        cmocka_unit_test(code_points_come_back_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
