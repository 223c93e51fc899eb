#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/utf8.h"

#define FFFD "\xEF\xBF\xBD"

struct row {
    struct span bytes;
    bool valid;
    const char *repaired; /* NULL: as it is */
};

/* The repairs are what TextDecoder gives for the same bytes. */
static const struct row rows[] = {
    {{"", 0}, true, NULL},
    {SPAN_INIT("plain ASCII, longer than a word"), true, NULL},
    {{"a\0b", 3}, true, NULL},
    {SPAN_INIT("\x7F"), true, NULL},
    {SPAN_INIT("\xC2\x80\xDF\xBF"), true, NULL},
    {SPAN_INIT("\xE0\xA0\x80\xEC\xBF\xBF\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"), true, NULL},
    {SPAN_INIT("\xF0\x90\x80\x80\xF3\xBF\xBF\xBF\xF4\x8F\xBF\xBF"), true, NULL},
    {SPAN_INIT("twelve bytes\xC3\xA9then more than eight"), true, NULL},
    {SPAN_INIT("\x80"), false, FFFD},
    {SPAN_INIT("\xBF\xBF"), false, FFFD FFFD},
    {SPAN_INIT("\xC0\x80"), false, FFFD FFFD},
    {SPAN_INIT("\xC1\xBF"), false, FFFD FFFD},
    {SPAN_INIT("\xC2"), false, FFFD},
    {SPAN_INIT("\xC2\x41"), false, FFFD "A"},
    {SPAN_INIT("\xC2\xC2\x80"), false, FFFD "\xC2\x80"},
    {SPAN_INIT("\xE0\x9F\xBF"), false, FFFD FFFD FFFD},
    {SPAN_INIT("\xE0\xA0"), false, FFFD},
    {SPAN_INIT("\xE2\x82\x41"), false, FFFD "A"},
    {SPAN_INIT("\xE2\x82\xE2\x82\xAC"), false, FFFD "\xE2\x82\xAC"},
    {SPAN_INIT("\xED\xA0\x80"), false, FFFD FFFD FFFD},
    {SPAN_INIT("\xED\xBF\xBF"), false, FFFD FFFD FFFD},
    {SPAN_INIT("\xF0\x8F\xBF\xBF"), false, FFFD FFFD FFFD FFFD},
    {SPAN_INIT("\xF0\x90\x80"), false, FFFD},
    {SPAN_INIT("\xF0\x9F\x92\x41"), false, FFFD "A"},
    {SPAN_INIT("\xF0\x9F\x92\xF0\x9F\x92\xA9"), false, FFFD "\xF0\x9F\x92\xA9"},
    {SPAN_INIT("\xF4\x90\x80\x80"), false, FFFD FFFD FFFD FFFD},
    {SPAN_INIT("\xF5\x80\x80\x80"), false, FFFD FFFD FFFD FFFD},
    {SPAN_INIT("\xFE\xFF"), false, FFFD FFFD},
    {SPAN_INIT("12345678\xFF"
               "12345678"),
     false, "12345678" FFFD "12345678"},
    {SPAN_INIT("1234567\x80"), false, "1234567" FFFD},
    {SPAN_INIT("a\xC3"), false, "a" FFFD},
};
enum { ROWS = sizeof rows / sizeof *rows };

static void whole_texts_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        assert_int_equal(span_is_utf8(rows[i].bytes), rows[i].valid);
    assert_true(span_is_utf8(span_of(NULL, 0)));
}

static void pieces_are_judged_as_the_whole_at_every_split_point(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct span all = rows[i].bytes;
        for (size_t cut = 0; cut <= all.len; cut++) {
            uint32_t s = 0;
            bool good = utf8_check(&s, span_slice(all, 0, cut)) &&
                        utf8_check(&s, span_slice(all, cut, all.len)) && s == 0;
            assert_int_equal(good, rows[i].valid);
        }
    }
}

static void a_bad_text_stays_bad(void **state)
{
    (void)state;
    uint32_t s = 0;
    assert_false(utf8_check(&s, SPAN("\xFF")));
    assert_false(utf8_check(&s, SPAN("")));
    assert_false(utf8_check(&s, SPAN("a")));
    assert_false(utf8_check(&s, SPAN("\x80\xBF")));
}

static void an_unfinished_character_is_not_bad_yet(void **state)
{
    (void)state;
    uint32_t s = 0;
    assert_true(utf8_check(&s, SPAN("\xF0\x9F\x92")));
    assert_true(s != 0);
    assert_true(utf8_check(&s, SPAN("\xA9")));
    assert_true(s == 0);
}

static void all_code_points_but_surrogates_are_utf8(void **state)
{
    (void)state;
    for (uint32_t c = 0x800; c <= 0x10FFFF; c++) {
        char bytes[4] = {(char)(0xF0 | c >> 18), (char)(0x80 | (c >> 12 & 0x3F)),
                         (char)(0x80 | (c >> 6 & 0x3F)), (char)(0x80 | (c & 0x3F))};
        if (c < 0x10000)
            bytes[1] = (char)(0xE0 | c >> 12);
        struct span s = c < 0x10000 ? span_of(bytes + 1, 3) : span_of(bytes, 4);
        assert_int_equal(span_is_utf8(s), c < 0xD800 || c > 0xDFFF);
    }
}

static void bad_sequences_are_replaced_by_maximal_subparts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct buf out = {.len = 0};
        struct span want = rows[i].repaired == NULL ? rows[i].bytes : span_str(rows[i].repaired);
        BUF_ADD_LIT(&out, ">");
        utf8_repair(&out, rows[i].bytes);
        assert_true(span_eq(span_slice(buf_span(&out), 1, out.len), want));
        assert_true(span_is_utf8(buf_span(&out)));
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_texts_are_judged),
        cmocka_unit_test(pieces_are_judged_as_the_whole_at_every_split_point),
        cmocka_unit_test(a_bad_text_stays_bad),
        cmocka_unit_test(an_unfinished_character_is_not_bad_yet),
        cmocka_unit_test(all_code_points_but_surrogates_are_utf8),
        cmocka_unit_test(bad_sequences_are_replaced_by_maximal_subparts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
