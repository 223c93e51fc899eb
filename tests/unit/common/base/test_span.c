#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/span.h"

static void assert_span(struct span s, const char *text)
{
    if (!span_eq(s, span_str(text)))
        fail_msg("\"%.*s\" is not \"%s\"", SPAN_ARG(s), text);
}

static void comparing_without_case_minds_ascii_letters_only(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"", "", true},          {"Upgrade", "uPGRADE", true},
        {"abc", "abd", false},   {"abc", "ab", false},
        {"@", "`", false},       {"[", "{", false},
        {"\xC4", "\xE4", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(span_ieq(span_str(rows[i].a), span_str(rows[i].b)), rows[i].same);
    assert_true(span_ieq(span_of(NULL, 0), SPAN("")));
}

static void a_part_is_found_anywhere_whatever_its_case(void **state)
{
    static const struct {
        const char *s, *part;
        bool has;
    } rows[] = {
        {"", "", true},         {"abc", "", true},       {"", "a", false},
        {"Lobby", "lob", true}, {"Lobby", "OBBY", true}, {"Lobby", "y", true},
        {"abc", "abcd", false}, {"abc", "ac", false},    {"aab", "AB", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(span_ihas(span_str(rows[i].s), span_str(rows[i].part)), rows[i].has);
    assert_true(span_ihas(span_of(NULL, 0), SPAN("")));
}

static void prefix_and_suffix_may_be_all_or_nothing(void **state)
{
    static const struct {
        const char *s, *part;
        bool starts, ends;
    } rows[] = {
        {"", "", true, true},          {"abc", "", true, true},    {"abc", "abc", true, true},
        {"abc", "ab", true, false},    {"abc", "bc", false, true}, {"abc", "b", false, false},
        {"abc", "abcd", false, false}, {"", "a", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(span_starts(span_str(rows[i].s), span_str(rows[i].part)), rows[i].starts);
        assert_int_equal(span_ends(span_str(rows[i].s), span_str(rows[i].part)), rows[i].ends);
    }
}

static void a_character_is_found_from_both_sides(void **state)
{
    (void)state;
    assert_int_equal(span_index(SPAN("a:b:c"), ':'), 1);
    assert_int_equal(span_rindex(SPAN("a:b:c"), ':'), 3);
    assert_int_equal(span_index(SPAN("abc"), ':'), 3);
    assert_int_equal(span_rindex(SPAN("abc"), ':'), 3);
    assert_int_equal(span_index(span_of(NULL, 0), ':'), 0);
    assert_int_equal(span_rindex(span_of(NULL, 0), ':'), 0);
    assert_int_equal(span_index(span_of("a\0b", 3), '\0'), 1);
}

static void slices_are_cut_to_what_is_there(void **state)
{
    (void)state;
    assert_span(span_slice(SPAN("abcdef"), 1, 3), "bc");
    assert_span(span_slice(SPAN("abc"), 0, 99), "abc");
    assert_span(span_slice(SPAN("abc"), 99, 100), "");
    assert_span(span_slice(SPAN("abc"), 2, 1), "");
    assert_span(span_slice(span_of(NULL, 0), 1, 2), "");
    assert_span(span_slice(SPAN("abc"), 1, SIZE_MAX), "bc");
}

static void blanks_are_trimmed_at_both_ends_only(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {{"", ""},         {" \t\r\n", ""},    {"a", "a"},
                {" a b ", "a b"}, {"\r\n\tx\n", "x"}, {"\va\f", "\va\f"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_span(span_trim(span_str(rows[i].in)), rows[i].out);
    assert_span(span_trim(span_of(NULL, 0)), "");
}

static void splitting_keeps_empty_parts(void **state)
{
    static const struct {
        const char *in;
        const char *parts[4];
    } rows[] = {{"a,,b", {"a", "", "b"}}, {"", {""}},      {"a", {"a"}},
                {"a,", {"a", ""}},        {",", {"", ""}}, {",a,b", {"", "a", "b"}}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span rest = span_str(rows[i].in), part;
        size_t n = 0;
        while (span_split(&rest, ',', &part)) {
            assert_non_null(rows[i].parts[n]);
            assert_span(part, rows[i].parts[n++]);
        }
        assert_null(rows[i].parts[n]);
        assert_null(rest.ptr);
        assert_int_equal(rest.len, 0);
    }
}

static void splitting_nothing_gives_no_part(void **state)
{
    (void)state;
    struct span rest = {.ptr = NULL}, part = SPAN("untouched");
    assert_false(span_split(&rest, ',', &part));
    assert_span(part, "untouched");
}

static void numbers_are_digits_that_fit(void **state)
{
    static const struct {
        const char *in;
        enum err err;
        uint64_t value;
    } rows[] = {
        {"0", ERR_OK, 0},
        {"007", ERR_OK, 7},
        {"18446744073709551615", ERR_OK, UINT64_MAX},
        {"18446744073709551616", ERR_LIMIT, 0},
        {"99999999999999999999999999", ERR_LIMIT, 0},
        {"184467440737095516160", ERR_LIMIT, 0},
        {"99999999999999999999999999x", ERR_SYNTAX, 0},
        {"", ERR_SYNTAX, 0},
        {"-1", ERR_SYNTAX, 0},
        {"+1", ERR_SYNTAX, 0},
        {" 1", ERR_SYNTAX, 0},
        {"1 ", ERR_SYNTAX, 0},
        {"0x1", ERR_SYNTAX, 0},
        {"1.0", ERR_SYNTAX, 0},
        {"\xB2", ERR_SYNTAX, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t value = 42;
        assert_int_equal(span_to_u64(span_str(rows[i].in), &value), rows[i].err);
        assert_true(value == (rows[i].err == ERR_OK ? rows[i].value : 42));
    }
    uint64_t value;
    assert_int_equal(span_to_u64(span_of("1\0", 2), &value), ERR_SYNTAX);
    assert_int_equal(span_to_u64(span_of(NULL, 0), &value), ERR_SYNTAX);
}

static void equal_spans_need_equal_bytes_and_lengths(void **state)
{
    (void)state;
    assert_true(span_eq(span_of(NULL, 0), SPAN("")));
    assert_true(span_eq(SPAN("ab"), span_of("abc", 2)));
    assert_false(span_eq(SPAN("ab"), SPAN("abc")));
    assert_false(span_eq(span_of("a\0b", 3), span_of("a\0c", 3)));
    assert_int_equal(span_str(NULL).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing_without_case_minds_ascii_letters_only),
        cmocka_unit_test(a_part_is_found_anywhere_whatever_its_case),
        cmocka_unit_test(prefix_and_suffix_may_be_all_or_nothing),
        cmocka_unit_test(a_character_is_found_from_both_sides),
        cmocka_unit_test(slices_are_cut_to_what_is_there),
        cmocka_unit_test(blanks_are_trimmed_at_both_ends_only),
        cmocka_unit_test(splitting_keeps_empty_parts),
        cmocka_unit_test(splitting_nothing_gives_no_part),
        cmocka_unit_test(numbers_are_digits_that_fit),
        cmocka_unit_test(equal_spans_need_equal_bytes_and_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
