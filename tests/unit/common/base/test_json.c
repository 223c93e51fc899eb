#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "common/base/json.h"

#define FFFD "\xEF\xBF\xBD"

static void texts_are_taken_or_refused(void **state)
{
    static const struct {
        struct span text;
        bool good;
    } rows[] = {
        {SPAN_INIT("{}"), true},
        {SPAN_INIT(" \t\r\n[1] "), true},
        {SPAN_INIT("1"), true},
        {SPAN_INIT("-0"), true},
        {SPAN_INIT("\"text\""), true},
        {SPAN_INIT("null"), true},
        {SPAN_INIT("true"), true},
        {SPAN_INIT("\xEF\xBB\xBF{}"), true},
        {SPAN_INIT("{\"a\":1,\"a\":2}"), true},
        {SPAN_INIT("\"\\u0000\""), true},
        {SPAN_INIT("\"\\ud83d\\ude00\""), true},
        {SPAN_INIT("12345678901234567890123"), true},
        {SPAN_INIT("1e308"), true},
        {SPAN_INIT("1e-400"), true},
        {SPAN_INIT(""), false},
        {SPAN_INIT(" "), false},
        {SPAN_INIT("\xEF\xBB\xBF"), false},
        {SPAN_INIT("\xEF\xBB\xBF\xEF\xBB\xBF{}"), false},
        {SPAN_INIT("{} x"), false},
        {SPAN_INIT("{}\0"), false},
        {SPAN_INIT("\0{}"), false},
        {SPAN_INIT("\"a\0b\""), false},
        {SPAN_INIT("\"a\nb\""), false},
        {SPAN_INIT("{'a':1}"), false},
        {SPAN_INIT("{\"a\":1,}"), false},
        {SPAN_INIT("[1,]"), false},
        {SPAN_INIT("01"), false},
        {SPAN_INIT("1."), false},
        {SPAN_INIT("+1"), false},
        {SPAN_INIT(".5"), false},
        {SPAN_INIT("NaN"), false},
        {SPAN_INIT("1\0"), false},
        {SPAN_INIT("1e999"), false},
        {SPAN_INIT("\"\\ud83d\""), false},
        {SPAN_INIT("\"\\ude00\""), false},
        {SPAN_INIT("\"\\x41\""), false},
        {SPAN_INIT("{\"a\\u0000b\":1}"), false},
        {SPAN_INIT("nul"), false},
        {SPAN_INIT("{\"a\":1"), false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        /* On the heap and without slack, so that reading past the end is seen. */
        char *exact = malloc(rows[i].text.len + (rows[i].text.len == 0));
        assert_non_null(exact);
        memcpy(exact, rows[i].text.ptr, rows[i].text.len);
        json_t *value = json_decode(span_of(exact, rows[i].text.len));
        if ((value != NULL) != rows[i].good)
            fail_msg("row %zu: %s", i, rows[i].text.ptr);
        json_decref(value);
        free(exact);
    }
    assert_null(json_decode(span_of(NULL, 0)));
}

static void a_truncated_text_is_refused(void **state)
{
    (void)state;
    struct span text = SPAN("{\"a\":[1,-2.5e3,true,null,{\"b\":\"\\u00e9x\"}],\"c\":\"\xC3\xA9\"}");
    for (size_t len = 0; len < text.len; len++)
        assert_null(json_decode(span_slice(text, 0, len)));
    json_t *whole = json_decode(text);
    assert_non_null(whole);
    json_decref(whole);
}

static void nesting_ends_where_jansson_ends_it(void **state)
{
    (void)state;
    for (size_t depth = 2000; depth <= 3000; depth += 1000) {
        struct buf text = {.len = 0};
        for (size_t i = 0; i < depth; i++)
            buf_add_char(&text, '[');
        for (size_t i = 0; i < depth; i++)
            buf_add_char(&text, ']');
        json_t *value = json_decode(buf_span(&text));
        assert_int_equal(value != NULL, depth <= 2048);
        json_decref(value);
        buf_clear(&text);
    }
}

static void assert_string(const char *text, struct span want)
{
    json_t *object = json_decode(span_str(text));
    struct span got;
    assert_true(json_get_span(object, "a", &got));
    assert_true(span_eq(got, want));
    json_decref(object);
}

static void values_are_counted_where_they_are_not_text(void **state)
{
    static const struct {
        struct span text;
        size_t values; /* so many it may have, not fewer */
    } rows[] = {
        {SPAN_INIT("7"), 1},
        {SPAN_INIT("[1,2]"), 3},
        {SPAN_INIT("{\"a\":1,\"b\":[2,[3]]}"), 6},
        {SPAN_INIT("\"[,{\\\",[\""), 1},
        {SPAN_INIT("[\"\\\\\",1]"), 3},
        {SPAN_INIT("{\"[[[,\":\",,,\"}"), 2},
        {SPAN_INIT("[[],[]]"), 5}, /* an empty one may count for two */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *doc = json_decode_max(rows[i].text, rows[i].values);
        assert_non_null(doc);
        json_decref(doc);
        assert_null(json_decode_max(rows[i].text, rows[i].values - 1));
    }
    assert_null(json_decode_max(SPAN("\"a\\"), 10)); /* a string without an end */
    assert_null(json_decode_max(SPAN("[\""), 10));
}

static void strings_come_as_they_were_meant(void **state)
{
    (void)state;
    assert_string("{\"a\":\"x\"}", SPAN("x"));
    assert_string("{\"a\":\"\"}", SPAN(""));
    assert_string("{\"a\":\"b\\u0000c\"}", SPAN("b\0c"));
    assert_string("{\"a\":1,\"a\":\"last\"}", SPAN("last"));
    assert_string("{\"a\":\"\\ud83d\\ude00\\n\"}", SPAN("\xF0\x9F\x98\x80\n"));
    assert_string("{\"a\":\"\xFFz\xC3\"}", SPAN(FFFD "z" FFFD));
    assert_string("\xEF\xBB\xBF{\"a\":\"\x80\"}", SPAN(FFFD));
}

static void members_of_another_type_are_not_there(void **state)
{
    (void)state;
    json_t *object = json_decode(SPAN("{\"s\":\"1\",\"n\":1,\"t\":true,\"z\":null,\"o\":{}}"));
    struct span s = SPAN("kept");
    bool b = true;
    int64_t n = 7;
    static const char *const keys[] = {"s", "n", "t", "z", "o", "missing"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_int_equal(json_get_span(object, keys[i], &s), i == 0);
        assert_int_equal(json_get_int(object, keys[i], 0, 9, &n), i == 1);
        assert_int_equal(json_get_bool(object, keys[i], &b), i == 2);
    }
    assert_true(span_eq(s, SPAN("1")));
    assert_int_equal(n, 1);
    assert_false(json_get_span(NULL, "s", &s));
    json_decref(object);
    json_t *array = json_decode(SPAN("[1]"));
    assert_false(json_get_int(array, "0", 0, 9, &n));
    json_decref(array);
}

static void integers_are_whole_exact_and_in_range(void **state)
{
    static const struct {
        const char *text;
        int64_t min, max;
        bool good;
        int64_t value;
    } rows[] = {
        {"5", 0, 10, true, 5},
        {"5.0", 0, 10, true, 5},
        {"50e-1", 0, 10, true, 5},
        {"-0", 0, 10, true, 0},
        {"0", 0, 10, true, 0},
        {"10", 0, 10, true, 10},
        {"11", 0, 10, false, 0},
        {"-1", 0, 10, false, 0},
        {"-1", -1, 10, true, -1},
        {"5.5", 0, 10, false, 0},
        {"0.9999999", 0, 10, false, 0},
        {"9007199254740992", 0, INT64_MAX, true, 9007199254740992},
        {"9007199254740994", 0, INT64_MAX, false, 0},
        {"-9007199254740992", INT64_MIN, 0, true, -9007199254740992},
        {"9223372036854775808", 0, INT64_MAX, false, 0},
        {"1e300", 0, INT64_MAX, false, 0},
        {"-1e300", INT64_MIN, INT64_MAX, false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf text = {.len = 0};
        buf_addf(&text, "{\"a\":%s}", rows[i].text);
        json_t *object = json_decode(buf_span(&text));
        int64_t n = 0;
        assert_int_equal(json_get_int(object, "a", rows[i].min, rows[i].max, &n), rows[i].good);
        assert_true(n == rows[i].value);
        json_decref(object);
        buf_clear(&text);
    }
}

static void integers_of_our_own_objects_are_read_too(void **state)
{
    (void)state;
    json_t *object = json_pack("{s:i}", "a", 3);
    int64_t n = 0;
    assert_true(json_get_int(object, "a", 0, 5, &n));
    assert_int_equal(n, 3);
    json_decref(object);
}

static void strings_are_escaped_as_json_stringify_does(void **state)
{
    static const struct {
        struct span in;
        const char *out;
    } rows[] = {
        {SPAN_INIT(""), "\"\""},
        {SPAN_INIT("plain text of some length, more than a word"),
         "\"plain text of some length, more than a word\""},
        {SPAN_INIT("\"\\/"), "\"\\\"\\\\/\""},
        {SPAN_INIT("\b\f\n\r\t\v"), "\"\\b\\f\\n\\r\\t\\u000b\""},
        {SPAN_INIT("a\0b"), "\"a\\u0000b\""},
        {SPAN_INIT("\x1F\x20\x7F"), "\"\\u001f \x7F\""},
        {SPAN_INIT("\xC3\xA9\xE2\x80\xA8\xF0\x9F\x98\x80"),
         "\"\xC3\xA9\xE2\x80\xA8\xF0\x9F\x98\x80\""},
        {SPAN_INIT("\xFF\"\xC3"), "\"" FFFD "\\\"" FFFD "\""},
        {SPAN_INIT("\xED\xA0\x80"), "\"" FFFD FFFD FFFD "\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = {.len = 0};
        BUF_ADD_LIT(&out, "x");
        json_add_string(&out, rows[i].in);
        assert_true(span_eq(span_slice(buf_span(&out), 1, out.len), span_str(rows[i].out)));
        buf_clear(&out);
    }
    struct buf out = {.len = 0};
    json_add_string(&out, span_of(NULL, 0));
    assert_true(span_eq(buf_span(&out), SPAN("\"\"")));
    buf_clear(&out);
}

/* Every byte at every place of two words: the fast path must see what the slow one sees. */
static void an_escape_is_seen_at_every_place(void **state)
{
    (void)state;
    for (int c = 0; c < 0x80; c++) {
        for (size_t at = 0; at < 17; at++) {
            char text[17];
            memset(text, '!', sizeof text);
            text[at] = (char)c;
            struct buf out = {.len = 0};
            json_add_string(&out, span_of(text, sizeof text));
            bool plain = c >= 0x20 && c != '"' && c != '\\';
            assert_int_equal(out.len == sizeof text + 2, plain);
            json_t *back = json_decode(buf_span(&out));
            assert_int_equal(json_string_length(back), sizeof text);
            assert_memory_equal(json_string_value(back), text, sizeof text);
            json_decref(back);
            buf_clear(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_taken_or_refused),
        cmocka_unit_test(a_truncated_text_is_refused),
        cmocka_unit_test(nesting_ends_where_jansson_ends_it),
        cmocka_unit_test(values_are_counted_where_they_are_not_text),
        cmocka_unit_test(strings_come_as_they_were_meant),
        cmocka_unit_test(members_of_another_type_are_not_there),
        cmocka_unit_test(integers_are_whole_exact_and_in_range),
        cmocka_unit_test(integers_of_our_own_objects_are_read_too),
        cmocka_unit_test(strings_are_escaped_as_json_stringify_does),
        cmocka_unit_test(an_escape_is_seen_at_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
