#include "common/proto/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/proto/json_text.h"

static void assert_text(struct buf *got, const char *want)
{
    if (!span_eq(buf_span(got), span_str(want)))
        fail_msg("got %.*s\nwant %s", SPAN_ARG(buf_span(got)), want);
    assert_int_equal(json_text_check(buf_span(got)), ERR_OK);
    buf_clear(got);
}

static void frames_to_the_room_have_their_documented_form(void **state)
{
    (void)state;
    struct buf out = {0};
    envelope_add_connected(&out, SPAN("abc"), SPAN("{\"headers\":{}}"));
    assert_text(&out, "{\"type\":\"shard.clientConnected\",\"privateId\":\"abc\","
                      "\"requestInfo\":{\"headers\":{}}}");
    envelope_add_message(&out, SPAN("abc"), SPAN("[0.1,{\"a\":1,\"a\":2}]"));
    assert_text(&out, "{\"type\":\"shard.clientMessage\",\"privateId\":\"abc\","
                      "\"payload\":[0.1,{\"a\":1,\"a\":2}]}");
    envelope_add_disconnected(&out, SPAN("abc"));
    assert_text(&out, "{\"type\":\"shard.clientDisconnected\",\"privateId\":\"abc\"}");
}

static void ids_cannot_break_out_of_their_string(void **state)
{
    (void)state;
    struct buf out = {0};
    envelope_add_disconnected(&out, SPAN("a\",\"x\":\"\\\n\x01\xff"));
    assert_text(&out, "{\"type\":\"shard.clientDisconnected\","
                      "\"privateId\":\"a\\\",\\\"x\\\":\\\"\\\\\\n\\u0001\xef\xbf\xbd\"}");
    envelope_add_disconnected(&out, SPAN(""));
    assert_text(&out, "{\"type\":\"shard.clientDisconnected\",\"privateId\":\"\"}");
}

static void frames_are_appended(void **state)
{
    (void)state;
    struct buf out = {0};
    BUF_ADD_LIT(&out, "kept");
    envelope_add_disconnected(&out, SPAN("a"));
    assert_true(span_starts(buf_span(&out), SPAN("kept{\"type\":")));
    buf_clear(&out);
}

/* ---- request info */

struct header_row {
    const char *name, *value;
};

static struct http_head make_head(const struct header_row *rows)
{
    struct http_head h = {0};
    for (; rows[h.header_count].name != NULL; h.header_count++) {
        h.headers[h.header_count].name = span_str(rows[h.header_count].name);
        h.headers[h.header_count].value = span_str(rows[h.header_count].value);
    }
    return h;
}

static const struct {
    struct header_row headers[8];
    const char *want;
} header_rows[] = {
    {{{0}}, ""},
    {{{"Host", "a:1"}, {"X-Custom-ID", "MiXed"}}, "\"host\":\"a:1\",\"x-custom-id\":\"MiXed\""},
    {{{"X-A", "1"}, {"x-b", "2"}, {"x-a", "3"}, {"X-a", ""}}, "\"x-a\":\"1, 3,\",\"x-b\":\"2\""},
    {{{"Cookie", "a=1"}, {"cookie", "b=2"}}, "\"cookie\":\"a=1; b=2\""},
    {{{"Set-Cookie", "a=1"}, {"set-cookie", "b=2"}}, "\"set-cookie\":\"b=2\""},
    {{{"Authorization", "one"}, {"authorization", "two"}}, "\"authorization\":\"one\""},
    {{{"User-Agent", "one"}, {"X", "x"}, {"user-agent", "two"}},
     "\"user-agent\":\"one\",\"x\":\"x\""},
    {{{"Content-Type", ""}, {"Content-Type", "b"}}, "\"content-type\":\"\""},
    {{{"X-Forwarded-For", "1.1.1.1"}, {"x-forwarded-for", "2.2.2.2"}},
     "\"x-forwarded-for\":\"1.1.1.1, 2.2.2.2\""},
    {{{"__proto__", "a"}, {"constructor", "b"}}, "\"__proto__\":\"a\",\"constructor\":\"b\""},
    {{{"X", "\"q\" \\ \tz"}}, "\"x\":\"\\\"q\\\" \\\\ \\tz\""},
    {{{"X", "caf\xe9 \xc3\xa9 \x80\xff"}},
     "\"x\":\"caf\xc3\xa9 \xc3\x83\xc2\xa9 \xc2\x80\xc3\xbf\""},
};

static void headers_are_told_as_node_tells_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof header_rows / sizeof header_rows[0]; i++) {
        struct http_head h = make_head(header_rows[i].headers);
        struct buf out = {0}, want = {0};
        envelope_add_request_info(&out, &h, SPAN("http://h/p?q"), NULL, NULL);
        buf_addf(&want, "{\"headers\":{%s},\"url\":\"http://h/p?q\",\"method\":\"GET\"}%c",
                 header_rows[i].want, 0);
        assert_text(&out, want.data);
        buf_clear(&want);
    }
}

static void the_url_is_escaped(void **state)
{
    (void)state;
    struct http_head h = {0};
    struct buf out = {0};
    envelope_add_request_info(&out, &h, SPAN("http://h/\"\\\xe9"), NULL, NULL);
    assert_text(&out, "{\"headers\":{},\"url\":\"http://h/\\\"\\\\\xc3\xa9\",\"method\":\"GET\"}");
}

static bool skip_named(void *ctx, const struct http_header *header)
{
    return span_ieq(header->name, span_str(ctx));
}

static void headers_can_be_left_out(void **state)
{
    (void)state;
    char name[] = "x-shard-id";
    struct header_row rows[] = {
        {"X-Shard-Id", "1"}, {"A", "2"}, {"x-shard-id", "3"}, {"a", "4"}, {NULL, NULL}};
    struct http_head h = make_head(rows);
    struct buf out = {0};
    envelope_add_request_info(&out, &h, SPAN("u"), skip_named, name);
    assert_text(&out, "{\"headers\":{\"a\":\"2, 4\"},\"url\":\"u\",\"method\":\"GET\"}");
}

/* ---- frames from the room */

#define CLOSE  "\"type\":\"shard.closeClient\""
#define TARGET "\"targetClientId\":"

static const struct {
    const char *text;
    enum envelope_kind kind, strict_kind;
    const char *client, *data;
    bool binary;
} frames[] = {
    /* broadcasts */
    {"{\"type\":\"sync\",\"value\":{}}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {" {} ", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"[1]", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"5", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"0", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"true", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"false", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"\"\"", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"[{" TARGET "\"a\"}]", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"{\"value\":{" TARGET "\"a\"}}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"{\"data\":\"x\"}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"{\"targetclientid\":\"a\"}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"{\"__proto__\":{" TARGET "\"a\"}}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    /* nothing */
    {"null", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {" null\n", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {" ", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"{", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"hello", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"{" TARGET "\"a\",\"data\":\"x\",}", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"\xef\xbb\xbf{}", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"\"\xff\"", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    /* targeted */
    {"{" TARGET "\"a\",\"data\":\"x\"}", ENVELOPE_TARGETED, ENVELOPE_TARGETED, "a", "x", false},
    {"{\"data\":\"x\"," TARGET "\"a\"}", ENVELOPE_TARGETED, ENVELOPE_TARGETED, "a", "x", false},
    {"{" TARGET "\"a\\u0062\\\"\",\"data\":\"{\\\"t\\\":\\\"\\u00e9\\\\n\\\"}\"}",
     ENVELOPE_TARGETED, ENVELOPE_TARGETED, "ab\"", "{\"t\":\"\xc3\xa9\\n\"}", false},
    {"{" TARGET "\"a\",\"data\":\"\\ud83d\"}", ENVELOPE_TARGETED, ENVELOPE_TARGETED, "a",
     "\xef\xbf\xbd", false},
    {"{" TARGET "\"a\",\"data\":\"\"}", ENVELOPE_TARGETED, ENVELOPE_TARGETED, "a", "", false},
    {"{" TARGET "\"a\"}", ENVELOPE_TARGETED, ENVELOPE_TARGETED, "a", "", true},
    {"{" TARGET "\"a\",\"data\":null}", ENVELOPE_TARGETED, ENVELOPE_TARGETED, "a", "", true},
    {"{" TARGET "\"a\",\"data\":-12.5}", ENVELOPE_TARGETED, ENVELOPE_TARGETED, "a", "-12.5", false},
    {"{" TARGET "\"a\",\"data\":0}", ENVELOPE_TARGETED, ENVELOPE_TARGETED, "a", "0", false},
    {"{" TARGET "\"a\",\"data\":{}}", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"{" TARGET "\"a\",\"data\":[\"x\"]}", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"{" TARGET "\"a\",\"data\":true}", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"{" TARGET "\"a\",\"data\":false}", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"{" TARGET "\"a\",\"data\":1,\"data\":\"x\"}", ENVELOPE_TARGETED, ENVELOPE_TARGETED, "a", "x",
     false},
    {"{" TARGET "\"a\"," TARGET "\"b\",\"data\":\"x\"}", ENVELOPE_TARGETED, ENVELOPE_TARGETED, "b",
     "x", false},
    {"{\"target\\u0043lientId\":\"a\",\"dat\\u0061\":\"x\"}", ENVELOPE_TARGETED, ENVELOPE_TARGETED,
     "a", "x", false},
    {"{\"type\":\"x\"," TARGET "\"a\",\"data\":\"x\"}", ENVELOPE_TARGETED, ENVELOPE_BROADCAST, "a",
     "x", false},
    {"{" CLOSE "," TARGET "\"a\",\"data\":\"x\"}", ENVELOPE_TARGETED, ENVELOPE_BROADCAST, "a", "x",
     false},
    /* truthy ids that are no strings find nobody; falsy ones are none */
    {"{" TARGET "5,\"data\":\"x\"}", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"{" TARGET "-0.5}", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"{" TARGET "1e-400}", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"{" TARGET "true}", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"{" TARGET "{}}", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"{" TARGET "[]}", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"{" TARGET "\"\",\"data\":\"x\"}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"{" TARGET "null}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"{" TARGET "false}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"{" TARGET "0}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"{" TARGET "-0.00e12}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"{" TARGET "\"a\"," TARGET "null}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    /* close */
    {"{" CLOSE ",\"privateId\":\"a\"}", ENVELOPE_CLOSE, ENVELOPE_CLOSE, "a", "", false},
    {"{\"privateId\":\"a\\n\"," CLOSE "}", ENVELOPE_CLOSE, ENVELOPE_CLOSE, "a\n", "", false},
    {"{\"type\":\"shard.close\\u0043lient\",\"privateId\":\"a\"}", ENVELOPE_CLOSE, ENVELOPE_CLOSE,
     "a", "", false},
    {"{" CLOSE ",\"privateId\":\"a\"," TARGET "\"b\",\"data\":\"x\"}", ENVELOPE_CLOSE,
     ENVELOPE_BROADCAST, "a", "", false},
    {"{" CLOSE ",\"privateId\":\"a\",\"reason\":\"x\"}", ENVELOPE_CLOSE, ENVELOPE_BROADCAST, "a",
     "", false},
    {"{" CLOSE ",\"privateId\":5}", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"{" CLOSE ",\"privateId\":[]}", ENVELOPE_DROP, ENVELOPE_DROP, "", "", false},
    {"{" CLOSE "}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"{" CLOSE ",\"privateId\":\"\"}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"{" CLOSE ",\"privateId\":0}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "", "", false},
    {"{" CLOSE ",\"type\":\"x\",\"privateId\":\"a\"}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST, "",
     "", false},
    {"{\"type\":[\"shard.closeClient\"],\"privateId\":\"a\"}", ENVELOPE_BROADCAST,
     ENVELOPE_BROADCAST, "", "", false},
    {"{\"type\":\"shard.closeclient\",\"privateId\":\"a\"}", ENVELOPE_BROADCAST, ENVELOPE_BROADCAST,
     "", "", false},
};

static void check_frame(size_t i, bool strict, struct buf *scratch)
{
    enum envelope_kind kind = strict ? frames[i].strict_kind : frames[i].kind;
    struct envelope e = envelope_read(span_str(frames[i].text), strict, scratch);
    if (e.kind != kind)
        fail_msg("%s (strict %d): kind %d", frames[i].text, strict, (int)e.kind);
    bool named = kind == ENVELOPE_TARGETED || kind == ENVELOPE_CLOSE;
    if (named && !span_eq(e.client, span_str(frames[i].client)))
        fail_msg("%s: client %.*s", frames[i].text, SPAN_ARG(e.client));
    if (kind != ENVELOPE_TARGETED)
        return;
    if (!span_eq(e.data, span_str(frames[i].data)) || e.binary != frames[i].binary)
        fail_msg("%s: data %.*s", frames[i].text, SPAN_ARG(e.data));
}

static void frames_from_the_room_are_told_apart(void **state)
{
    (void)state;
    struct buf scratch = {0};
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        check_frame(i, false, &scratch);
        check_frame(i, true, &scratch);
    }
    buf_clear(&scratch);
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) { /* nothing to reuse */
        check_frame(i, false, &scratch);
        buf_clear(&scratch);
    }
}

static void no_truncated_frame_is_obeyed(void **state)
{
    (void)state;
    struct span text = SPAN("{\"targetClientId\":\"a\\n\",\"data\":\"{\\\"a\\\":1}\"}");
    struct buf scratch = {0};
    assert_int_equal(envelope_read(text, false, &scratch).kind, ENVELOPE_TARGETED);
    for (size_t len = 0; len < text.len; len++) {
        char *copy = xspandup(span_slice(text, 0, len));
        assert_int_equal(envelope_read(span_of(copy, len), false, &scratch).kind, ENVELOPE_DROP);
        free(copy);
    }
    buf_clear(&scratch);
}

static void frames_beyond_the_depth_limit_are_dropped(void **state)
{
    (void)state;
    struct buf text = {0}, scratch = {0};
    for (size_t i = 0; i <= JSON_DEPTH_MAX; i++)
        buf_add_char(&text, '[');
    for (size_t i = 0; i <= JSON_DEPTH_MAX; i++)
        buf_add_char(&text, ']');
    assert_int_equal(envelope_read(buf_span(&text), false, &scratch).kind, ENVELOPE_DROP);
    struct span less = span_slice(buf_span(&text), 1, text.len - 1);
    assert_int_equal(envelope_read(less, false, &scratch).kind, ENVELOPE_BROADCAST);
    buf_clear(&text);
    buf_clear(&scratch);
}

/* ---- client text on its way up */

static const struct {
    const char *raw, *text, *binary; /* what becomes of it as a text and as a binary frame; NULL:
                                        refused */
} messages[] = {
    {"{\"a\":0.1}", "{\"a\":0.1}", "{\"a\":0.1}"},
    {"null", "null", "null"},
    {"\"\xc3\xa9\"", "\"\xc3\xa9\"", "\"\xc3\xa9\""},
    {"\xef\xbb\xbf[1]", "[1]", "[1]"},
    {"\xef\xbb\xbf\xef\xbb\xbf[1]", NULL, NULL},
    {"\xef\xbb\xbf", NULL, NULL},
    {"\xef\xbb[1]", NULL, NULL},
    {"", NULL, NULL},
    {"hello", NULL, NULL},
    {"{\"a\":1", NULL, NULL},
    {"1 2", NULL, NULL},
    {"\"a\xff\xe4\xb8z\"", NULL, "\"a\xef\xbf\xbd\xef\xbf\xbdz\""},
    {"\xef\xbb\xbf\"\x80\"", NULL, "\"\xef\xbf\xbd\""},
    {"\"\xff", NULL, NULL},
    {"\xff", NULL, NULL},
};

static void client_text_is_checked_and_repaired(void **state)
{
    (void)state;
    struct buf scratch = {0};
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        for (int binary = 0; binary < 2; binary++) {
            const char *want = binary ? messages[i].binary : messages[i].text;
            struct span json = {0}, raw = span_str(messages[i].raw);
            enum err err = envelope_check_message(raw, binary, &scratch, &json);
            assert_int_equal(err, want == NULL ? ERR_SYNTAX : ERR_OK);
            if (want != NULL)
                assert_true(span_eq(json, span_str(want)));
        }
    }
    buf_clear(&scratch);
}

static void client_text_that_nests_too_deep_is_told_apart(void **state)
{
    (void)state;
    struct buf text = {0}, scratch = {0}, out = {0};
    struct span json = {0};
    for (size_t i = 0; i < JSON_DEPTH_MAX; i++)
        buf_add_char(&text, '[');
    for (size_t i = 0; i < JSON_DEPTH_MAX; i++)
        buf_add_char(&text, ']');
    assert_int_equal(envelope_check_message(buf_span(&text), false, &scratch, &json), ERR_OK);
    envelope_add_message(&out, SPAN("a"), json);
    buf_reset(&text);
    for (size_t i = 0; i <= JSON_DEPTH_MAX; i++)
        buf_add_char(&text, '[');
    assert_int_equal(envelope_check_message(buf_span(&text), true, &scratch, &json), ERR_LIMIT);
    buf_clear(&text);
    buf_clear(&out);
    buf_clear(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_to_the_room_have_their_documented_form),
        cmocka_unit_test(ids_cannot_break_out_of_their_string),
        cmocka_unit_test(frames_are_appended),
        cmocka_unit_test(headers_are_told_as_node_tells_them),
        cmocka_unit_test(the_url_is_escaped),
        cmocka_unit_test(headers_can_be_left_out),
        cmocka_unit_test(frames_from_the_room_are_told_apart),
        cmocka_unit_test(no_truncated_frame_is_obeyed),
        cmocka_unit_test(frames_beyond_the_depth_limit_are_dropped),
        cmocka_unit_test(client_text_is_checked_and_repaired),
        cmocka_unit_test(client_text_that_nests_too_deep_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
