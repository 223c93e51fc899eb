/* Columns as they are printed. */
#include "world/ctl/table.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct table_column columns[] = {
    {"ROOM", TABLE_LEFT}, {"N", TABLE_RIGHT}, {"NOTE", TABLE_LEFT}};

static void numbers_stand_right_and_widths_are_cells(void **state)
{
    struct table *t = table_new(columns, 3);
    struct buf out = {0};

    (void)state;
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    table_add(t, SPAN("\xe6\x97\xa5\xe6\x9c\xac"), PAINT_PLAIN);
    table_add_number(t, 7);
    table_add(t, SPAN("x"), PAINT_PLAIN);
    table_add(t, SPAN("a\033b"), PAINT_GOOD);
    table_add_number(t, 1000);
    table_add(t, SPAN(""), PAINT_PLAIN);
    table_print(t, false, &out);
    assert_true(span_eq(buf_span(&out), SPAN("ROOM       N  NOTE\n"
                                             "\xe6\x97\xa5\xe6\x9c\xac       7  x\n"
                                             "a\\x1bb  1000  \n")));
    buf_clear(&out);
    table_free(t);
}

static void colours_do_not_count_as_width(void **state)
{
    struct table *t = table_new(columns, 3);
    struct buf out = {0};

    (void)state;
    table_add(t, SPAN("up"), PAINT_GOOD);
    table_add_number(t, 7);
    table_add(t, SPAN("x"), PAINT_PLAIN);
    table_print(t, true, &out);
    assert_true(span_ends(buf_span(&out), SPAN("\033[32mup\033[0m    7  x\n")));
    buf_clear(&out);
    table_free(t);
}

static void no_rows_print_nothing(void **state)
{
    struct table *t = table_new(columns, 3);
    struct buf out = {0};

    (void)state;
    table_print(t, true, &out);
    assert_int_equal(out.len, 0);
    table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stand_right_and_widths_are_cells),
        cmocka_unit_test(colours_do_not_count_as_width),
        cmocka_unit_test(no_rows_print_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
