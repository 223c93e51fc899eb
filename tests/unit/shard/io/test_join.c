/* What an upgrade request says about a client. */
#include "shard/io/join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"

/* Reads a request for `target` with these header lines. */
static void read_join(struct join *j, const char *target, const char *lines, bool trusted)
{
    struct buf text = {0}, scratch = {0};
    struct http_head h;
    buf_addf(&text, "GET %s HTTP/1.1\r\n%s\r\n", target, lines);
    assert_int_equal(http_head_parse_request(&h, text.data, text.len), ERR_OK);
    struct route r = route_of(&routes_builtin, h.target, &scratch);
    assert_int_equal(r.kind, ROUTE_SHARD);
    join_read(j, &h, &r, &(struct sender){.trusted = trusted, .https = trusted});
    buf_clear(&text);
    buf_clear(&scratch);
}

static void assert_info(const char *target, const char *lines, bool trusted, const char *want)
{
    struct join j = {0};
    read_join(&j, target, lines, trusted);
    buf_add_char(&j.request_info, '\0');
    assert_string_equal(j.request_info.data, want);
    join_clear(&j);
}

static void session_id_is_decoded_and_trimmed(void **state)
{
    static const struct {
        const char *query, *id;
    } rows[] = {
        {"", ""},
        {"?", ""},
        {"?_pk=1", ""},
        {"?id=", ""},
        {"?id=%20%20", ""},
        {"?id=a", "a"},
        {"?x=1&id=%20%20spaced%20", "spaced"},
        {"?id=first&id=second", "first"},
        {"?id=a+b", "a b"},
        {"?id=%C3%A9t%C3%A9", "été"},
        {"?id=%zz", "%zz"},
        {"?id=a%2Fb%3Ac", "a/b:c"},
        {"?id=%EF%BB%BF%C2%A0a%E2%80%A8", "a"},
        {"?id=%ff", "\xef\xbf\xbd"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct join j = {0};
        struct buf target = {0};
        buf_addf(&target, "/parties/shard/s%s", rows[i].query);
        buf_add_char(&target, '\0');
        read_join(&j, target.data, "Host: h\r\n", false);
        if (!span_eq(buf_span(&j.session_id), span_str(rows[i].id)))
            fail_msg("%s: '%.*s'", rows[i].query, (int)j.session_id.len, j.session_id.data);
        buf_clear(&target);
        join_clear(&j);
    }
}

static void white_space_is_what_javascript_trims(void **state)
{
    static const char *const blanks[] = {
        " ",      "\t",     "\n",     "\v",     "\f",     "\r",     "\u00a0", "\u1680", "\u2000",
        "\u2001", "\u2005", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff",
    };
    static const char *const others[] = {"\u200b", "\u180e", "\u2060", "\x1f", "\x7f", "\xc2\x85"};
    (void)state;
    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
        struct buf b = {0};
        buf_addf(&b, "%s%sa %sb%s%s", blanks[i], blanks[i], blanks[i], blanks[i], blanks[i]);
        struct span trimmed = js_trim(buf_span(&b));
        assert_int_equal(trimmed.ptr[0], 'a');
        assert_int_equal(trimmed.ptr[trimmed.len - 1], 'b');
        assert_int_equal(js_trim(span_str(blanks[i])).len, 0);
        buf_clear(&b);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_true(span_eq(js_trim(span_str(others[i])), span_str(others[i])));
}

static void room_is_told_headers_and_url(void **state)
{
    (void)state;
    assert_info("/parties/shard/a%3Ab/sub?x=%20&id=1",
                "Host: Node:3010\r\nX-Custom: one\r\n"
                "x-custom: two\r\n",
                false,
                "{\"headers\":{\"host\":\"Node:3010\",\"x-custom\":\"one, two\"},"
                "\"url\":\"http://Node:3010/parties/shard/a%3Ab/sub?x=%20&id=1\","
                "\"method\":\"GET\"}");
}

static void strangers_claims_are_left_out(void **state)
{
    (void)state;
    assert_info("/parties/shard/s",
                "Host: h\r\nx-access-shard: s\r\nx-shard-id: x\r\nx-forwarded-proto: https\r\n"
                "x-forwarded-for: 1.2.3.4\r\nforwarded: x\r\nx-original-client-ip: x\r\n"
                "x-terrane-hop: 1\r\n",
                false,
                "{\"headers\":{\"host\":\"h\"},\"url\":\"http://h/parties/shard/s\","
                "\"method\":\"GET\"}");
}

static void trusted_peer_may_say_how_the_client_came(void **state)
{
    (void)state;
    assert_info("/parties/shard/s", "Host: h\r\nx-forwarded-proto: https\r\nx-access-shard: s\r\n",
                true,
                "{\"headers\":{\"host\":\"h\",\"x-forwarded-proto\":\"https\"},"
                "\"url\":\"https://h/parties/shard/s\",\"method\":\"GET\"}");
}

static void missing_host_becomes_localhost(void **state)
{
    (void)state;
    assert_info("/parties/shard/s", "Host:\r\n", false,
                "{\"headers\":{\"host\":\"\"},\"url\":\"http://localhost/parties/shard/s\","
                "\"method\":\"GET\"}");
}

static void assert_told(const struct join *j, const char *want)
{
    char *text = xspandup(buf_span(&j->request_info));
    assert_string_equal(text, want);
    free(text);
}

static void what_was_shown_stands_beside_the_clients_headers(void **state)
{
    struct join j = {0};
    struct shown shown = {0};
    (void)state;
    read_join(&j, "/parties/shard/s", "Host: h\r\nx-terrane-subject: root\r\n", false);
    join_show(&j, &shown);
    assert_told(&j, "{\"headers\":{\"host\":\"h\"},\"url\":\"http://h/parties/shard/s\","
                    "\"method\":\"GET\"}");
    BUF_ADD_LIT(&shown.subject, "zo\xc3\xab");
    BUF_ADD_LIT(&shown.claims, "{\"a\":\"\\u00eb\"}");
    join_show(&j, &shown);
    assert_told(&j, "{\"headers\":{\"x-terrane-subject\":\"zo%C3%AB\","
                    "\"x-terrane-claims\":\"{\\\"a\\\":\\\"\\\\u00eb\\\"}\",\"host\":\"h\"},"
                    "\"url\":\"http://h/parties/shard/s\",\"method\":\"GET\"}");
    shown_clear(&shown);
    join_clear(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_shown_stands_beside_the_clients_headers),
        cmocka_unit_test(session_id_is_decoded_and_trimmed),
        cmocka_unit_test(white_space_is_what_javascript_trims),
        cmocka_unit_test(room_is_told_headers_and_url),
        cmocka_unit_test(strangers_claims_are_left_out),
        cmocka_unit_test(trusted_peer_may_say_how_the_client_came),
        cmocka_unit_test(missing_host_becomes_localhost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
