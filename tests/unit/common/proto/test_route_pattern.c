/* What patterns may be, and which takes all that another one takes. */
#include "common/proto/route_pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void patterns_are_judged_by_their_segments(void **state)
{
    static const struct {
        const char *pattern, *problem;
    } rows[] = {
        {"/", NULL},
        {"/a/{shard}/b-c/*", NULL},
        {"/a/", NULL},
        {"a", "does not start with a slash"},
        {"", "does not start with a slash"},
        {"/\xff", "is not UTF-8"},
        {"/a/*/b", "has a * that is not the last segment"},
        {"/a//b", "has an empty segment"},
        {"/a/..", "has a segment that no path can have"},
        {"/a/{}", "has a segment that no path can have"},
        {"/a/x{y}", "has a segment that no path can have"},
        {"/a/{x y}", "has a name with other characters than letters, digits, - and _"},
        {"/{x}/{y}/{x}", "has a name twice"},
        {"/metrics", "belongs to the node itself"},
        {"/parties/world/*", "belongs to the node itself"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *problem = route_pattern_problem(span_str(rows[i].pattern));
        if (rows[i].problem == NULL)
            assert_null(problem);
        else
            assert_string_equal(problem, rows[i].problem);
    }
}

static void names_are_found_whole(void **state)
{
    struct span pattern = SPAN("/a/{shard}/{my-room}/*");
    (void)state;
    assert_true(route_pattern_has(pattern, SPAN("shard")));
    assert_true(route_pattern_has(pattern, SPAN("my-room")));
    assert_false(route_pattern_has(pattern, SPAN("room")));
    assert_false(route_pattern_has(pattern, SPAN("a")));
    assert_true(span_eq(route_segment_name(SPAN("{x}")), SPAN("x")));
    assert_null(route_segment_name(SPAN("x")).ptr);
    assert_null(route_segment_name(SPAN("{}")).ptr);
}

static void a_wider_pattern_covers_a_narrower_one(void **state)
{
    static const struct {
        const char *wide, *narrow;
        bool covers;
    } rows[] = {
        {"/a/*", "/a/{x}", true},      {"/a/*", "/a/b/c", true},   {"/*", "/a", true},
        {"/a/{x}", "/a/b", true},      {"/a/{x}", "/a/{y}", true}, {"/a/b", "/a/b", true},
        {"/a/{x}", "/a/*", false},     {"/a/b", "/a/{x}", false},  {"/a/{x}", "/a/b/c", false},
        {"/a/{x}/c", "/a/{x}", false}, {"/{x}/{y}", "/a/", false}, {"/b/*", "/a/b", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(route_pattern_covers(span_str(rows[i].wide), span_str(rows[i].narrow)),
                         rows[i].covers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_judged_by_their_segments),
        cmocka_unit_test(names_are_found_whole),
        cmocka_unit_test(a_wider_pattern_covers_a_narrower_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
