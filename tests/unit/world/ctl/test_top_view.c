#include "world/ctl/top_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static json_t *nodes;
static struct top_view v;
static struct top_rows rows;

static int begin(void **state)
{
    (void)state;
    nodes = json_decode(SPAN("[{\"node\":\"b\",\"state\":\"alive\",\"lagMs\":2},"
                             "{\"node\":\"C\",\"state\":\"dead\",\"lagMs\":9},"
                             "{\"node\":\"a\",\"state\":\"suspect\",\"lagMs\":2}]"));
    top_view_init(&v);
    v.page = TOP_NODES;
    return 0;
}

static int end(void **state)
{
    (void)state;
    top_view_clear(&v);
    top_rows_clear(&rows);
    json_decref(nodes);
    return 0;
}

static void order(const char *want)
{
    struct top_order o = top_view_order(&v);
    char names[16] = "";
    top_rows_make(&rows, nodes, &o, 0);
    for (size_t i = 0; i < rows.count; i++)
        names[i] = top_item_name(TOP_NODES, rows.items[i]).ptr[0];
    assert_string_equal(names, want);
}

static enum top_wish keys(const char *text)
{
    enum top_wish wish = TOP_NOTHING;
    for (; *text != '\0'; text++)
        wish = top_view_key(&v, (uint8_t)*text, &rows, 2);
    return wish;
}

static void rows_are_sorted_by_the_column_that_s_chooses(void **state)
{
    (void)state;
    order("Cab");
    (void)keys("r");
    order("baC");
    (void)keys("s"); /* STATE: the worst first */
    order("Cab");
    (void)keys("<r"); /* a text, so upwards, and then not */
    order("baC");
    (void)keys("<>");
    assert_int_equal(v.sort[TOP_NODES], 0);
}

static void equal_rows_stay_in_the_lists_order(void **state)
{
    (void)state;
    v.sort[TOP_NODES] = 5; /* LAG */
    order("baC");
    (void)keys("r");
    order("Cba");
}

static void the_filter_takes_parts_of_names_in_any_case(void **state)
{
    (void)state;
    assert_int_equal(keys("/c"), TOP_FETCH);
    assert_int_equal(v.mode, TOP_FILTER);
    order("C");
    assert_int_equal(keys("x"), TOP_FETCH);
    order("");
    assert_int_equal(keys("\x7f\n"), TOP_FETCH);
    assert_int_equal(v.mode, TOP_BROWSE);
    order("C");
    assert_int_equal(keys("\x1b"), TOP_FETCH);
    order("Cab");
}

static void a_letter_is_taken_back_as_a_whole(void **state)
{
    (void)state;
    (void)keys("/");
    (void)top_view_key(&v, 0xe9, &rows, 2);
    assert_int_equal(v.filter.len, 2);
    (void)top_view_key(&v, TOP_KEY_BACKSPACE, &rows, 2);
    assert_int_equal(v.filter.len, 0);
}

static void a_drain_is_done_after_a_yes_alone(void **state)
{
    (void)state;
    order("Cab");
    (void)keys("jd");
    assert_int_equal(v.mode, TOP_ASK);
    assert_int_equal(keys("n"), TOP_NOTHING);
    assert_int_equal(v.mode, TOP_BROWSE);
    assert_int_equal(keys("uy"), TOP_ACT);
    assert_int_equal(v.verb, TOP_UNDRAIN);
    assert_true(span_eq(buf_span(&v.subject), SPAN("a")));
}

static void rooms_are_not_drained(void **state)
{
    (void)state;
    v.page = TOP_ROOMS;
    assert_int_equal(keys("d"), TOP_NOTHING);
    assert_int_equal(v.mode, TOP_BROWSE);
    assert_true(v.said.len > 0);
}

static void the_cursor_stays_on_its_item(void **state)
{
    (void)state;
    order("Cab");
    (void)keys("jj");
    assert_int_equal(v.cursor, 2);
    assert_int_equal(v.top, 1);
    (void)keys("r");
    order("baC");
    top_view_settle(&v, &rows, 2);
    assert_int_equal(v.cursor, 0);
    assert_int_equal(v.top, 0);
    (void)keys("G/c\n");
    order("C");
    top_view_settle(&v, &rows, 2);
    assert_int_equal(v.cursor, 0);
}

static void pages_go_round(void **state)
{
    (void)state;
    assert_int_equal(keys("\t\t"), TOP_FETCH);
    assert_int_equal(v.page, TOP_SERVERS);
    (void)keys("\t");
    assert_int_equal(v.page, TOP_ROOMS);
    (void)top_view_key(&v, TOP_KEY_BACK_TAB, &rows, 2);
    assert_int_equal(v.page, TOP_SERVERS);
    (void)keys("3");
    assert_int_equal(v.page, TOP_SHARDS);
    assert_int_equal(keys("q"), TOP_QUIT);
}

static void keys_are_harmless_without_rows(void **state)
{
    (void)state;
    nodes = (json_decref(nodes), NULL);
    order("");
    for (uint32_t key = 0; key < 256; key++) {
        (void)top_view_key(&v, key, &rows, 0);
        top_view_settle(&v, &rows, 0);
    }
    (void)keys("\x1b");
    for (uint32_t key = TOP_KEY_UP; key <= TOP_KEY_BACKSPACE; key++)
        (void)top_view_key(&v, key, &rows, 0);
    assert_int_equal(v.cursor, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_are_sorted_by_the_column_that_s_chooses),
        TEST(equal_rows_stay_in_the_lists_order),
        TEST(the_filter_takes_parts_of_names_in_any_case),
        TEST(a_letter_is_taken_back_as_a_whole),
        TEST(a_drain_is_done_after_a_yes_alone),
        TEST(rooms_are_not_drained),
        TEST(the_cursor_stays_on_its_item),
        TEST(pages_go_round),
        TEST(keys_are_harmless_without_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
