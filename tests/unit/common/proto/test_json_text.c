#include "common/proto/json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "json_texts.h"

/* SPAN as the initializer of a static table. */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        .ptr = ("" literal), .len = sizeof(literal) - 1                                            \
    }

/* Checks a copy of its exact size, so that a read past the end is noticed. */
static enum err check_copy(struct span text)
{
    char *copy = xmalloc(text.len + 1);
    memcpy(copy, text.len == 0 ? "" : text.ptr, text.len);
    copy = xrealloc(copy, text.len == 0 ? 1 : text.len);
    enum err err = json_text_check(span_of(copy, text.len));
    free(copy);
    return err;
}

static void verdicts_are_those_of_javascript(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        enum err want = texts[i].accepted ? ERR_OK : ERR_SYNTAX;
        enum err got = check_copy(texts[i].text);
        if (got != want)
            fail_msg("text %zu, %.*s: %s", i, SPAN_ARG(texts[i].text), err_text(got));
    }
}

static size_t count_tokens(const char *const *tokens)
{
    size_t n = 0;
    while (n < 16 && tokens[n] != NULL)
        n++;
    return n;
}

static void families_of_texts_are_judged_as_by_javascript(void **state)
{
    (void)state;
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        size_t base = count_tokens(families[f].tokens), accepted = 0, texts_of_length = 1;
        uint64_t hash = 0xcbf29ce484222325u;
        struct buf text = {0};
        for (size_t length = 0; length <= families[f].max; length++, texts_of_length *= base) {
            for (size_t n = 0; n < texts_of_length; n++) {
                buf_reset(&text);
                buf_add_span(&text, span_str(families[f].prefix));
                for (size_t i = 0, unit = texts_of_length; i < length; i++) {
                    unit /= base;
                    buf_add_span(&text, span_str(families[f].tokens[n / unit % base]));
                }
                buf_add_span(&text, span_str(families[f].suffix));
                bool ok = json_text_check(buf_span(&text)) == ERR_OK;
                accepted += ok;
                hash = (hash ^ ok) * 0x100000001b3u;
            }
        }
        buf_clear(&text);
        assert_int_equal(accepted, families[f].accepted);
        assert_int_equal(hash, families[f].hash);
    }
}

/* But for a raw NUL behind a number or literal, which jansson overlooks. */
static void whatever_jansson_accepts_passes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct span text = texts[i].text;
        json_t *value = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        if (value != NULL && json_text_check(text) != ERR_OK && span_index(text, '\0') == text.len)
            fail_msg("text %zu, %.*s", i, SPAN_ARG(text));
        json_decref(value);
    }
}

/* Cut anywhere, a text that ends with a bracket or quote is no text any more. */
static void no_truncation_passes(void **state)
{
    (void)state;
    struct span text =
        SPAN(" {\"a\\u0041\\n\":[1,-2.5e+7,true,false,null,\"\xc3\xa9\xf0\x9f\x98\x80\"],"
             "\"long enough for a word\":{\"\":{}}}");
    assert_int_equal(check_copy(text), ERR_OK);
    for (size_t len = 0; len < text.len; len++)
        assert_int_equal(check_copy(span_slice(text, 0, len)), ERR_SYNTAX);
    struct span string = SPAN("\"a\\u0041\\n \xc3\xa9 and some more \xf0\x9f\x98\x80 text\\\\\"");
    assert_int_equal(check_copy(string), ERR_OK);
    for (size_t len = 0; len < string.len; len++)
        assert_int_equal(check_copy(span_slice(string, 0, len)), ERR_SYNTAX);
}

/* The word-wise scan finds each byte that ends or breaks a string, wherever it stands. */
static void every_byte_is_seen_at_every_place(void **state)
{
    (void)state;
    char text[26];
    for (size_t at = 1; at < sizeof text - 1; at++) {
        for (int c = 0; c < 256; c++) {
            memset(text, 'x', sizeof text);
            text[0] = text[sizeof text - 1] = '"';
            text[at] = (char)c;
            bool want = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
            if ((json_text_check(span_of(text, sizeof text)) == ERR_OK) != want)
                fail_msg("byte %02x at %zu", (unsigned)c, at);
        }
    }
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    static const struct {
        const char *open, *close;
    } kinds[] = {{"[", "]"}, {"{\"a\":", "}"}};
    for (size_t k = 0; k < 2; k++) {
        for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
            struct buf text = {0};
            for (size_t i = 0; i < depth; i++)
                buf_add_span(&text, span_str(kinds[k].open));
            buf_add_char(&text, '0');
            for (size_t i = 0; i < depth; i++)
                buf_add_span(&text, span_str(kinds[k].close));
            enum err want = depth <= JSON_DEPTH_MAX ? ERR_OK : ERR_LIMIT;
            assert_int_equal(json_text_check(buf_span(&text)), want);
            buf_clear(&text);
        }
    }
    struct buf wide = {0};
    buf_add_char(&wide, '[');
    for (size_t i = 0; i < 5000; i++)
        BUF_ADD_LIT(&wide, "[],{},");
    BUF_ADD_LIT(&wide, "0]");
    assert_int_equal(json_text_check(buf_span(&wide)), ERR_OK);
    buf_clear(&wide);
}

static void write_member(void *ctx, const struct json_member *m)
{
    struct buf *out = ctx;
    buf_addf(out, "%.*s=%.*s|", SPAN_ARG(m->key), SPAN_ARG(m->value));
}

static const struct {
    const char *text;
    char kind;
    const char *members;
} member_rows[] = {
    {"{\"a\":1}", '{', "a=1|"},
    {" { \"a\" : 1 , \"b\" : [ 1 , { \"c\" : 2 } ] } ", '{', "a=1|b=[ 1 , { \"c\" : 2 } ]|"},
    {"{\"a\":{\"b\":{\"c\":1},\"d\":2},\"e\":\"x\"}", '{', "a={\"b\":{\"c\":1},\"d\":2}|e=\"x\"|"},
    {"{\"a\":1,\"a\":2,\"\\u0061\":3}", '{', "a=1|a=2|\\u0061=3|"},
    {"{\"\":\"\",\"k\":null,\"t\":true ,\"n\":-1e5}", '{', "=\"\"|k=null|t=true|n=-1e5|"},
    {"{\"a\":{},\"b\":[]}", '{', "a={}|b=[]|"},
    {"{}", '{', ""},
    {"[{\"a\":1}]", '[', ""},
    {" \"a\"", '"', ""},
    {"-1", '-', ""},
    {"7", '7', ""},
    {"\ttrue", 't', ""},
    {"false", 'f', ""},
    {"null", 'n', ""},
};

static void top_level_members_are_told_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof member_rows / sizeof member_rows[0]; i++) {
        struct buf seen = {0};
        char kind = 0;
        struct span text = span_str(member_rows[i].text);
        assert_int_equal(json_text_members(text, &kind, write_member, &seen), ERR_OK);
        assert_int_equal(kind, member_rows[i].kind);
        if (!span_eq(buf_span(&seen), span_str(member_rows[i].members)))
            fail_msg("%s: %.*s", member_rows[i].text, SPAN_ARG(buf_span(&seen)));
        buf_clear(&seen);
    }
}

static void members_of_a_bad_text_end_in_an_error(void **state)
{
    (void)state;
    struct buf seen = {0};
    char kind = 0;
    assert_int_equal(json_text_members(SPAN("{\"a\":1,}"), &kind, write_member, &seen), ERR_SYNTAX);
    assert_int_equal(json_text_members(SPAN(""), &kind, write_member, &seen), ERR_SYNTAX);
    assert_int_equal(json_text_members((struct span){0}, &kind, write_member, &seen), ERR_SYNTAX);
    buf_clear(&seen);
}

static const struct {
    struct span raw, text;
} strings[] = {
    {TEXT(""), TEXT("")},
    {TEXT("abc"), TEXT("abc")},
    {TEXT("a longer text without any escape"), TEXT("a longer text without any escape")},
    {TEXT("\\\"\\\\\\/\\b\\f\\n\\r\\t"), TEXT("\"\\/\b\f\n\r\t")},
    {TEXT("{\\\"type\\\":\\\"sync\\\",\\\"value\\\":{\\\"a\\\":\\\"\\\\\\\"\\\"}}"),
     TEXT("{\"type\":\"sync\",\"value\":{\"a\":\"\\\"\"}}")},
    {TEXT("1234567\\n"), TEXT("1234567\n")},
    {TEXT("12345678\\n"), TEXT("12345678\n")},
    {TEXT("\\n12345678"), TEXT("\n12345678")},
    {TEXT("\\u0041\\u0000\\u00e9\\u4E2D"), TEXT("A\0\xc3\xa9\xe4\xb8\xad")},
    {TEXT("\\u007f\\u0080\\u07ff\\u0800\\uffff"),
     TEXT("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf")},
    {TEXT("\\ud83d\\ude00 \\uDBFF\\uDFFF"), TEXT("\xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf")},
    {TEXT("\\ud83d"), TEXT("\xef\xbf\xbd")},
    {TEXT("\\ude00"), TEXT("\xef\xbf\xbd")},
    {TEXT("\\ude00\\ud83d"), TEXT("\xef\xbf\xbd\xef\xbf\xbd")},
    {TEXT("\\ud83d\\ud83d\\ude00"), TEXT("\xef\xbf\xbd\xf0\x9f\x98\x80")},
    {TEXT("\\ud83dx"), TEXT("\xef\xbf\xbdx")},
    {TEXT("\\ud83d\\n"), TEXT("\xef\xbf\xbd\n")},
    {TEXT("\\ud83d\\u0041"), TEXT("\xef\xbf\xbd"
                                  "A")},
    {TEXT("\xc3\xa9\\n\xf0\x9f\x98\x80"), TEXT("\xc3\xa9\n\xf0\x9f\x98\x80")},
};

static void strings_decode_to_their_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        struct buf out = {0};
        BUF_ADD_LIT(&out, "kept");
        json_text_unescape(&out, strings[i].raw);
        assert_true(span_eq(span_slice(buf_span(&out), 0, 4), SPAN("kept")));
        if (!span_eq(span_slice(buf_span(&out), 4, out.len), strings[i].text))
            fail_msg("string %zu: %.*s", i, SPAN_ARG(buf_span(&out)));
        buf_clear(&out);
    }
}

static void strings_are_compared_as_they_decode(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        for (size_t k = 0; k < sizeof strings / sizeof strings[0]; k++) {
            bool want = span_eq(strings[i].text, strings[k].text);
            assert_true(json_text_string_is(strings[i].raw, strings[k].text) == want);
        }
    }
    assert_true(json_text_string_is(SPAN("ty\\u0070e"), SPAN("type")));
    assert_false(json_text_string_is(SPAN("\\n"), SPAN("\\n")));
    assert_false(json_text_string_is(SPAN("ty\\u0070"), SPAN("type")));
    assert_false(json_text_string_is(SPAN("ty\\u0070ee"), SPAN("type")));
    assert_false(json_text_string_is(SPAN("typf"), SPAN("type")));
}

static void elements_of_an_array_come_in_order(void **state)
{
    static const struct {
        struct span array, elements; /* each with a bar behind it */
    } arrays[] = {
        {TEXT("[]"), TEXT("")},
        {TEXT("[ \n]"), TEXT("")},
        {TEXT("[1]"), TEXT("1|")},
        {TEXT("[ 1 , -2.5e3\t,null,true ]"), TEXT("1|-2.5e3|null|true|")},
        {TEXT("[\"a\\\"]\",\"\" , \"b,\"]"), TEXT("\"a\\\"]\"|\"\"|\"b,\"|")},
        {TEXT("[[1,[]],{\"a\":[\"}\"]} ,{}]"), TEXT("[1,[]]|{\"a\":[\"}\"]}|{}|")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        struct buf seen = {0};
        struct span element;
        assert_int_equal(json_text_check(arrays[i].array), ERR_OK);
        for (size_t at = 0; json_text_next(arrays[i].array, &at, &element);) {
            buf_add_span(&seen, element);
            buf_add_char(&seen, '|');
        }
        if (!span_eq(buf_span(&seen), arrays[i].elements))
            fail_msg("array %zu: %.*s", i, SPAN_ARG(buf_span(&seen)));
        buf_clear(&seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_are_those_of_javascript),
        cmocka_unit_test(families_of_texts_are_judged_as_by_javascript),
        cmocka_unit_test(whatever_jansson_accepts_passes),
        cmocka_unit_test(no_truncation_passes),
        cmocka_unit_test(every_byte_is_seen_at_every_place),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(top_level_members_are_told_in_order),
        cmocka_unit_test(members_of_a_bad_text_end_in_an_error),
        cmocka_unit_test(elements_of_an_array_come_in_order),
        cmocka_unit_test(strings_decode_to_their_text),
        cmocka_unit_test(strings_are_compared_as_they_decode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
