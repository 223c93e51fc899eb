#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/proto/url.h"

static void assert_span(struct span s, struct span expected, const char *of)
{
    if (!span_eq(s, expected))
        fail_msg("\"%.*s\" is not \"%.*s\" in \"%s\"", SPAN_ARG(s), SPAN_ARG(expected), of);
}

static void targets_are_split(void **state)
{
    (void)state;
    static const struct {
        const char *target, *path, *query; /* path NULL: ERR_SYNTAX; query NULL: none */
    } rows[] = {
        {"/", "/", NULL},
        {"/a/b?c=d", "/a/b", "c=d"},
        {"/a?", "/a", ""},
        {"/a?b?c", "/a", "b?c"},
        {"/a#b?c", "/a", NULL},
        {"/a?b#c", "/a", "b"},
        {"/a?b/c", "/a", "b/c"},
        {"//a/b", "//a/b", NULL},
        {"http://h/a?b", "/a", "b"},
        {"HTTPS://h:1/a", "/a", NULL},
        {"http://h", "/", NULL},
        {"http://h?a/b", "/", "a/b"},
        {"http://h#a/b", "/", NULL},
        {"http://https://a", "//a", NULL},
        {"http://", NULL, NULL},
        {"http:///a", NULL, NULL},
        {"ftp://h/a", NULL, NULL},
        {"", NULL, NULL},
        {"*", NULL, NULL},
        {"?a", NULL, NULL},
        {"#a", NULL, NULL},
        {"a/b", NULL, NULL},
        {"host:80", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct url_target t;
        enum err e = url_split_target(span_str(rows[i].target), &t);
        assert_int_equal(e, rows[i].path == NULL ? ERR_SYNTAX : ERR_OK);
        if (e != ERR_OK)
            continue;
        assert_span(t.path, span_str(rows[i].path), rows[i].target);
        assert_span(t.query, span_str(rows[i].query), rows[i].target);
        assert_int_equal(t.query.ptr == NULL, rows[i].query == NULL);
    }
}

/* What new URL(target, "http://localhost").pathname, split and decoded, gives in the reference. */
static const struct {
    const char *path;
    enum err expected;
    const char *party, *name, *rest;
} parties[] = {
    {"/parties/world/world-a/connect", ERR_OK, "world", "world-a", "/connect"},
    {"/parties/world/world-a", ERR_OK, "world", "world-a", ""},
    {"/parties/world/world-a/", ERR_OK, "world", "world-a", "/"},
    {"/parties/world/world-a//connect", ERR_OK, "world", "world-a", "//connect"},
    {"/parties/shard/a%3Ab", ERR_OK, "shard", "a:b", ""},
    {"/parties/%77orld/%77orld%2Da/%63onnect", ERR_OK, "world", "world-a", "/%63onnect"},
    {"/parties/shard/a%2Fb/c%2Fd", ERR_OK, "shard", "a/b", "/c%2Fd"},
    {"/parties/shard/%C3%A9%e2%82%ac", ERR_OK, "shard", "\xc3\xa9\xe2\x82\xac", ""},
    {"/parties/shard/\xc3\xa9", ERR_OK, "shard", "\xc3\xa9", ""},
    {"/parties/shard/a+b", ERR_OK, "shard", "a+b", ""},
    {"/parties/shard/%25zz", ERR_OK, "shard", "%zz", ""},
    {"/parties/shard/__proto__", ERR_OK, "shard", "__proto__", ""},
    {"/parties/world/world-b/../world-a/connect", ERR_OK, "world", "world-a", "/connect"},
    {"/parties/world/world-a/x/./../connect", ERR_OK, "world", "world-a", "/connect"},
    {"/parties/world/world-b/%2e%2E/world-a", ERR_OK, "world", "world-a", ""},
    {"/parties/world/world-b/.%2e/world-a", ERR_OK, "world", "world-a", ""},
    {"/parties/world/%2e/world-a/.", ERR_OK, "world", "world-a", "/"},
    {"/parties/world/world-a/b/..", ERR_OK, "world", "world-a", "/"},
    {"/../../parties/world/world-a", ERR_OK, "world", "world-a", ""},
    {"/x/..//../parties/world/world-a", ERR_OK, "world", "world-a", ""},
    {"/parties/world/...", ERR_OK, "world", "...", ""},
    {"/parties/world/..a/b.", ERR_OK, "world", "..a", "/b."},
    {"/parties/world/%252e%252e", ERR_OK, "world", "%2e%2e", ""},
    {"/parties/world/..%2fa", ERR_OK, "world", "../a", ""},
    {"/parties\\world\\world-a\\connect", ERR_OK, "world", "world-a", "/connect"},
    {"/parties/world/world-b\\..\\world-a", ERR_OK, "world", "world-a", ""},
    {"/parties/world/a%5C..", ERR_OK, "world", "a\\..", ""},
    {"/", ERR_MISSING, NULL, NULL, NULL},
    {"", ERR_MISSING, NULL, NULL, NULL},
    {"/parties", ERR_MISSING, NULL, NULL, NULL},
    {"/parties/", ERR_MISSING, NULL, NULL, NULL},
    {"/parties/world", ERR_MISSING, NULL, NULL, NULL},
    {"/parties/world/", ERR_MISSING, NULL, NULL, NULL},
    {"/parties/world//connect", ERR_MISSING, NULL, NULL, NULL},
    {"/parties//world-a/connect", ERR_MISSING, NULL, NULL, NULL},
    {"/parties/world/..", ERR_MISSING, NULL, NULL, NULL},
    {"/parties/world/.", ERR_MISSING, NULL, NULL, NULL},
    {"/parties/world/world-a/../..", ERR_MISSING, NULL, NULL, NULL},
    {"/parties/../world/world-a", ERR_MISSING, NULL, NULL, NULL},
    {"/Parties/world/world-a", ERR_MISSING, NULL, NULL, NULL},
    {"/%70arties/world/world-a", ERR_MISSING, NULL, NULL, NULL},
    {"//parties/world/world-a", ERR_MISSING, NULL, NULL, NULL},
    {"parties/world/world-a", ERR_MISSING, NULL, NULL, NULL},
    {"/partiesworld/a/b", ERR_MISSING, NULL, NULL, NULL},
    {"/parties/main/%zz", ERR_SYNTAX, NULL, NULL, NULL},
    {"/parties/main/%", ERR_SYNTAX, NULL, NULL, NULL},
    {"/parties/main/a%2", ERR_SYNTAX, NULL, NULL, NULL},
    {"/parties/main/%ff", ERR_SYNTAX, NULL, NULL, NULL},
    {"/parties/main/%c0%80", ERR_SYNTAX, NULL, NULL, NULL},
    {"/parties/main/%ed%a0%80", ERR_SYNTAX, NULL, NULL, NULL},
    {"/parties/main/\xff", ERR_SYNTAX, NULL, NULL, NULL},
    {"/parties/%zz/a", ERR_SYNTAX, NULL, NULL, NULL},
};

static void party_paths_are_split_as_in_a_browser(void **state)
{
    (void)state;
    struct buf scratch = {.len = 0};
    for (size_t i = 0; i < sizeof parties / sizeof *parties; i++) {
        struct span party, name, rest;
        char *path = xstrdup(parties[i].path);
        enum err e = url_split_party(span_str(path), &scratch, &party, &name, &rest);
        if (e != parties[i].expected)
            fail_msg("%s: \"%s\"", err_text(e), path);
        if (e == ERR_OK) {
            assert_span(party, span_str(parties[i].party), path);
            assert_span(name, span_str(parties[i].name), path);
            assert_span(rest, span_str(parties[i].rest), path);
        }
        free(path);
        if (i % 2 == 0) /* with old memory and with none */
            buf_clear(&scratch);
    }
    buf_clear(&scratch);
}

static void nul_in_a_name_is_a_plain_character(void **state)
{
    (void)state;
    struct buf scratch = {.len = 0};
    struct span party, name, rest;
    assert_int_equal(url_split_party(SPAN("/parties/shard/a%00b"), &scratch, &party, &name, &rest),
                     ERR_OK);
    assert_span(name, SPAN("a\0b"), "NUL");
    buf_clear(&scratch);
}

static void encoding_is_that_of_encode_uri_component(void **state)
{
    (void)state;
    struct buf out = {.len = 0}, back = {.len = 0};
    char all[0x80];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)i;
    url_encode(&out, span_of(all, sizeof all));
    assert_span(buf_span(&out),
                SPAN("%00%01%02%03%04%05%06%07%08%09%0A%0B%0C%0D%0E%0F"
                     "%10%11%12%13%14%15%16%17%18%19%1A%1B%1C%1D%1E%1F"
                     "%20!%22%23%24%25%26'()*%2B%2C-.%2F0123456789%3A%3B%3C%3D%3E%3F"
                     "%40ABCDEFGHIJKLMNOPQRSTUVWXYZ%5B%5C%5D%5E_"
                     "%60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~%7F"),
                "ASCII");
    assert_int_equal(url_decode(&back, buf_span(&out)), ERR_OK);
    assert_span(buf_span(&back), span_of(all, sizeof all), "ASCII");
    buf_reset(&out);
    url_encode(&out, SPAN("\xc3\xa9\xf0\x9f\x98\x80"));
    assert_span(buf_span(&out), SPAN("%C3%A9%F0%9F%98%80"), "UTF-8");
    buf_clear(&out);
    buf_clear(&back);
}

static void failed_decoding_adds_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"%", "a%", "a%2", "a%2g", "a%g2", "ab%ff", "%ed%a0%80"};
    struct buf out = {.len = 0};
    BUF_ADD_LIT(&out, "kept");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(url_decode(&out, span_str(bad[i])), ERR_SYNTAX);
        assert_span(buf_span(&out), SPAN("kept"), bad[i]);
    }
    buf_clear(&out);
}

static void query_values_are_found_and_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *query, *value; /* NULL: none */
    } rows[] = {
        {"id=a", "a"},
        {"a=b&id=c&id=d", "c"},
        {"id", ""},
        {"id=", ""},
        {"id&id=a", ""},
        {"&&id=a&", "a"},
        {"%69d=a", "a"},
        {"id=a%20b", "a b"},
        {"id=a+b%2B", "a b+"},
        {"id=%C3%A9t%C3%A9", "\xc3\xa9t\xc3\xa9"},
        {"id=%F0%9F%98%80", "\xf0\x9f\x98\x80"},
        {"id=a%2Fb%3Ac", "a/b:c"},
        {"id=%22quote%5C", "\"quote\\"},
        {"id=%zz", "%zz"},
        {"id=%2", "%2"},
        {"id=%", "%"},
        {"id=a=b=c", "a=b=c"},
        {"id=%ffa", "\xef\xbf\xbd"
                    "a"},
        {"id=%e2%82", "\xef\xbf\xbd"},
        {"id=%ed%a0%80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"id=%EF%BB%BFa", "\xef\xbb\xbf"
                          "a"},
        {"id=\xc3\xa9", "\xc3\xa9"},
        {"", NULL},
        {"=a", NULL},
        {"ID=a", NULL},
        {"idx=a", NULL},
        {"i=a", NULL},
        {"xid=a", NULL},
        {"id%00=a", NULL},
        {"a=id", NULL},
        {"a=id=b", NULL},
        {"a;id=b", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = {.len = 0};
        char *query = xstrdup(rows[i].query);
        assert_int_equal(url_query_get(span_str(query), SPAN("id"), &out), rows[i].value != NULL);
        assert_span(buf_span(&out), span_str(rows[i].value), query);
        free(query);
        buf_clear(&out);
    }
    assert_false(url_query_get((struct span){.ptr = NULL}, SPAN("id"), &(struct buf){.len = 0}));
}

static const struct {
    const char *text, *host; /* NULL: ERR_SYNTAX */
    int port;
} authorities[] = {
    {"", "", -1},
    {"example.com", "example.com", -1},
    {"example.com:", "example.com", -1},
    {"example.com:0", "example.com", 0},
    {"EXAMPLE.com.:65535", "EXAMPLE.com.", 65535},
    {"a_b~c!$&'()*+,;=d", "a_b~c!$&'()*+,;=d", -1},
    {"1.2.3.4:5", "1.2.3.4", 5},
    {"127.1", "127.1", -1},
    {"1", "1", -1},
    {"4294967295", "4294967295", -1},
    {"0x7f.1", "0x7f.1", -1},
    {"0177.0.0.01", "0177.0.0.01", -1},
    {"1.2.3.4.", "1.2.3.4.", -1},
    {"a.1x", "a.1x", -1},
    {"1.a", "1.a", -1},
    {"[::1]", "::1", -1},
    {"[::1]:80", "::1", 80},
    {"[::ffff:1.2.3.4]", "::ffff:1.2.3.4", -1},
    {":80", NULL, 0},
    {"a:b", NULL, 0},
    {"a:80:", NULL, 0},
    {"a:-1", NULL, 0},
    {"a:65536", NULL, 0},
    {"a:99999999999999999999", NULL, 0},
    {"a b", NULL, 0},
    {"a/", NULL, 0},
    {"a?", NULL, 0},
    {"u@a", NULL, 0},
    {"a%41", NULL, 0},
    {"a<b", NULL, 0},
    {"a\\b", NULL, 0},
    {"\xc3\xa9", NULL, 0},
    {"1.2.3.999", NULL, 0},
    {"1.2.3.4.5", NULL, 0},
    {"1..2", NULL, 0},
    {"256.1", NULL, 0},
    {"a.1", NULL, 0},
    {"a.0x1", NULL, 0},
    {"08", NULL, 0},
    {"4294967296", NULL, 0},
    {"99999999999999999999999", NULL, 0},
    {"1.16777216", NULL, 0},
    {"::1", NULL, 0},
    {"[", NULL, 0},
    {"[]", NULL, 0},
    {"[::1", NULL, 0},
    {"[::1]x", NULL, 0},
    {"[1.2.3.4]", NULL, 0},
    {"[::1%25lo]", NULL, 0},
    {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]", NULL, 0},
};

static void authorities_are_those_that_url_parsers_take(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof authorities / sizeof *authorities; i++) {
        struct span host;
        int port;
        enum err e = url_split_authority(span_str(authorities[i].text), &host, &port);
        if (e != (authorities[i].host == NULL ? ERR_SYNTAX : ERR_OK))
            fail_msg("%s: \"%s\"", err_text(e), authorities[i].text);
        if (e != ERR_OK)
            continue;
        assert_span(host, span_str(authorities[i].host), authorities[i].text);
        assert_int_equal(port, authorities[i].port);
    }
}

static void origins_are_http_with_a_host(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *header; /* host NULL: ERR_SYNTAX */
        uint16_t port;
    } rows[] = {
        {"http://127.0.0.1:3002", "127.0.0.1", "127.0.0.1:3002", 3002},
        {"http://example.com", "example.com", "example.com", 80},
        {"HTTP://example.com:80/", "example.com", "example.com", 80},
        {"http://[::1]:3002/", "::1", "[::1]:3002", 3002},
        {"http://[::1]", "::1", "[::1]", 80},
        {"https://example.com", "example.com", "example.com", 443},
        {"HTTPS://example.com:443/", "example.com", "example.com", 443},
        {"https://example.com:80", "example.com", "example.com:80", 80},
        {"http://example.com:443", "example.com", "example.com:443", 443},
        {"https://[::1]", "::1", "[::1]", 443},
        {"https://", NULL, NULL, 0},
        {"https://http://a", NULL, NULL, 0},
        {"ws://example.com", NULL, NULL, 0},
        {"example.com:3002", NULL, NULL, 0},
        {"http://", NULL, NULL, 0},
        {"http:///", NULL, NULL, 0},
        {"http://:3002", NULL, NULL, 0},
        {"http://example.com:0", NULL, NULL, 0},
        {"http://example.com:65536", NULL, NULL, 0},
        {"http://example.com/a", NULL, NULL, 0},
        {"http://example.com//", NULL, NULL, 0},
        {"http://example.com?a", NULL, NULL, 0},
        {"http://example.com#a", NULL, NULL, 0},
        {"http://u:p@example.com", NULL, NULL, 0},
        {" http://example.com", NULL, NULL, 0},
        {"http://example.com ", NULL, NULL, 0},
        {"", NULL, NULL, 0},
    };
    struct buf again = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct url_origin o = {.host = NULL};
        enum err e = url_origin_parse(span_str(rows[i].text), &o);
        if (e != (rows[i].host == NULL ? ERR_SYNTAX : ERR_OK))
            fail_msg("%s: \"%s\"", err_text(e), rows[i].text);
        if (e != ERR_OK)
            continue;
        assert_string_equal(o.host, rows[i].host);
        assert_string_equal(o.text, rows[i].header);
        assert_int_equal(o.port, rows[i].port);
        assert_int_equal(o.tls, rows[i].text[4] == 's' || rows[i].text[4] == 'S');
        buf_reset(&again);
        url_origin_add(&again, &o);
        assert_true(span_eq(url_origin_host(buf_span(&again)), span_str(rows[i].header)));
        assert_true(span_starts(buf_span(&again), o.tls ? SPAN("https://") : SPAN("http://")));
        url_origin_clear(&o);
        assert_null(o.host);
    }
    buf_clear(&again);
}

static void hosts_of_origins_are_as_long_as_names_can_be(void **state)
{
    struct buf text = {0};
    struct url_origin o;
    (void)state;
    BUF_ADD_LIT(&text, "https://");
    for (int i = 0; i < URL_HOST_MAX; i++)
        buf_add_char(&text, 'a');
    BUF_ADD_LIT(&text, ":65535");
    assert_true(text.len <= URL_ORIGIN_MAX);
    assert_int_equal(url_origin_parse(buf_span(&text), &o), ERR_OK);
    url_origin_clear(&o);
    text.data[text.len - 6] = 'a';
    BUF_ADD_LIT(&text, ":65535");
    assert_int_equal(url_origin_parse(buf_span(&text), &o), ERR_SYNTAX);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_split),
        cmocka_unit_test(party_paths_are_split_as_in_a_browser),
        cmocka_unit_test(nul_in_a_name_is_a_plain_character),
        cmocka_unit_test(encoding_is_that_of_encode_uri_component),
        cmocka_unit_test(failed_decoding_adds_nothing),
        cmocka_unit_test(query_values_are_found_and_decoded),
        cmocka_unit_test(authorities_are_those_that_url_parsers_take),
        cmocka_unit_test(origins_are_http_with_a_host),
        cmocka_unit_test(hosts_of_origins_are_as_long_as_names_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
