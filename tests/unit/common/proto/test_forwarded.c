/* Forwarded headers, as proxies write them and as clients forge them. */
#include "common/proto/forwarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const char *node_text(const struct forwarded_node *n, char out[ADDR_TEXT_MAX])
{
    if (n->kind == FORWARDED_NONE)
        return "-";
    if (n->kind == FORWARDED_HIDDEN)
        return "hidden";
    addr_format(&n->addr, out);
    return out;
}

static void assert_last(const char *text, const char *want)
{
    struct span rest = span_str(text);
    struct forwarded f;
    char got[1024] = "bad", from[ADDR_TEXT_MAX], by[ADDR_TEXT_MAX];
    enum err e = forwarded_take_last(&rest, &f);
    if (e == ERR_OK)
        (void)snprintf(got, sizeof got, "%s %s %.*s %.*s", node_text(&f.from, from),
                       node_text(&f.by, by), (int)f.proto_len, f.proto, (int)f.host_len, f.host);
    else if (e == ERR_MISSING)
        (void)snprintf(got, sizeof got, "none");
    if (strcmp(got, want) != 0)
        fail_msg("%s: got %s, expected %s", text, got, want);
}

static void elements_are_read_as_the_grammar_has_them(void **state)
{
    static const char *const rows[][2] = {
        {"for=192.0.2.43", "192.0.2.43 -  "},
        {"For=\"192.0.2.43:4711\";BY=203.0.113.60;proto=HTTP;host=example.com",
         "192.0.2.43 203.0.113.60 HTTP example.com"},
        {"for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17 -  "},
        {"for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17 -  "},
        {"for=unknown", "hidden -  "},
        {"for=Unknown;by=_x", "hidden hidden  "},
        {"for=\"unknown:80\"", "hidden -  "},
        {"for=_SEVKISEK", "hidden -  "},
        {"for=\"_gazonk:_port.1\"", "hidden -  "},
        {"for=\"1.2.3.4:_port\"", "1.2.3.4 -  "},
        {"for=\"1.2.\\3.4\"", "1.2.3.4 -  "},
        {"proto=https;host=\"game.example:8443\"", "- - https game.example:8443"},
        {"host=\"[::1]:80\"", "- -  [::1]:80"},
        {";;for=1.2.3.4;;proto=http;", "1.2.3.4 - http "},
        {"for=1.2.3.4 ; proto=https", "1.2.3.4 - https "},
        {"secret=\"a,b;c\\\"d\";for=1.2.3.4", "1.2.3.4 -  "},
        {"for=1.2.3.4, for=5.6.7.8", "5.6.7.8 -  "},
        {"for=1.2.3.4,for=5.6.7.8;x=\"a,b\" , ,\t", "5.6.7.8 -  "},
        {"", "none"},
        {" , ,", "none"},
        /* What is further left never matters. */
        {"for=\", for=5.6.7.8", "5.6.7.8 -  "},
        {"for=\", for=\"[::5]\"", "::5 -  "},
        {"for=\"\\, for=\"[::5]:1\"", "::5 -  "},
        {"garbage \" \\\" ,for=5.6.7.8", "5.6.7.8 -  "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_last(rows[i][0], rows[i][1]);
}

static void what_is_no_element_is_refused(void **state)
{
    static const char *const rows[] = {
        "for",
        "for=",
        "=1.2.3.4",
        "for=1.2.3.4;for=5.6.7.8",
        "for=1.2.3.4;FOR=1.2.3.4",
        "proto=http;proto=http",
        "host=a;host=a",
        "for=[::1]",
        "for=\"::1\"",
        "for=2001:db8::1",
        "for=\"[::1\"",
        "for=\"[::1]x\"",
        "for=\"[1.2.3.4]\"",
        "for=1.2.3",
        "for=1.2.3.4:80", /* a colon is no token */
        "for=\"1.2.3.4:\"",
        "for=\"1.2.3.4:65536\"",
        "for=\"1.2.3.4:-1\"",
        "for=\"1.2.3.4:000080\"",
        "for=\"_\"",
        "for=\"_a b\"",
        "for=\"\"",
        "for=\"1.2.3.4",
        "1.2.3.4\"",
        "for=\"1.2.3.4\"x",
        "for =1.2.3.4",
        "for= 1.2.3.4",
        "for=1.2.3.4 proto=http",
        "host=\"a b\"",
        "host=\"a@b\"",
        "host=\"\"",
        "proto=\"ht tp\"",
        "proto=abcdefghijklmnopq",
        "for=\"1.2.3.4\\\"",
        "x=\"a\x01\"",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_last(rows[i], "bad");
}

static void a_value_has_a_limit(void **state)
{
    struct buf text = {0};
    (void)state;
    BUF_ADD_LIT(&text, "host=");
    for (size_t i = 0; i < FORWARDED_HOST_MAX + 1; i++)
        buf_add_char(&text, 'a');
    struct span whole = buf_span(&text), fitting = span_slice(whole, 0, whole.len - 1);
    struct forwarded f;
    assert_int_equal(forwarded_take_last(&whole, &f), ERR_SYNTAX);
    assert_int_equal(forwarded_take_last(&fitting, &f), ERR_OK);
    assert_int_equal(f.host_len, FORWARDED_HOST_MAX);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_read_as_the_grammar_has_them),
        cmocka_unit_test(what_is_no_element_is_refused),
        cmocka_unit_test(a_value_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
