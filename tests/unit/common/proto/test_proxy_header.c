/* PROXY headers of both versions, whole, cut and wrong. */
#include "common/proto/proxy_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/buf.h"

#define V2        "\r\n\r\n\0\r\nQUIT\n"
#define TCP4      "\xc0\x00\x02\x07\x0a\x00\x00\x01\x30\x39\x01\xbb"
#define TEN       "\x20\x01\x0d\xb8\0\0\0\0\0\0"
#define TCP6      TEN "\0\0\0\0\0\x07" TEN "\0\0\0\0\0\x01\x30\x39\x01\xbb"
#define ROW(text) SPAN_INIT(text)

/* Reads what is `s`, behind which the client's own bytes follow; "own": the peer's address. */
static void assert_reads(struct span s, const char *want)
{
    struct buf text = {0};
    struct proxy_header h;
    char got[128] = "own", ip[ADDR_TEXT_MAX];
    buf_add_span(&text, s);
    BUF_ADD_LIT(&text, "GET / HTTP/1.1\r\n");
    for (size_t len = 0; len < s.len; len++)
        if (proxy_header_read(&h, text.data, len) != ERR_AGAIN)
            fail_msg("%s: not awaited at %zu", want, len);
    for (size_t len = s.len; len <= text.len; len++) {
        if (proxy_header_read(&h, text.data, len) != ERR_OK || h.len != s.len)
            fail_msg("%s: not read at %zu", want, len);
    }
    addr_format(&h.from, ip);
    if (h.names_peer)
        (void)snprintf(got, sizeof got, "%s %u", ip, h.port);
    assert_string_equal(got, want);
    buf_clear(&text);
}

static void both_versions_are_read_wherever_they_are_cut(void **state)
{
    static const struct {
        struct span text;
        const char *want;
    } rows[] = {
        {ROW("PROXY TCP4 192.0.2.7 10.0.0.1 12345 443\r\n"), "192.0.2.7 12345"},
        {ROW("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
         "255.255.255.255 65535"},
        {ROW("PROXY TCP4 192.0.2.7 10.0.0.1 0 0\r\n"), "192.0.2.7 0"},
        {ROW("PROXY TCP6 2001:db8::7 2001:db8::1 12345 443\r\n"), "2001:db8::7 12345"},
        {ROW("PROXY TCP6 ffff:f00f:ffff:ffff:ffff:ffff:ffff:ffff "
             "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
         "ffff:f00f:ffff:ffff:ffff:ffff:ffff:ffff 65535"},
        {ROW("PROXY UNKNOWN\r\n"), "own"},
        {ROW("PROXY UNKNOWN whatever it is\r\n"), "own"},
        {ROW("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
             "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
         "own"}, /* 107 bytes */
        {ROW(V2 "\x21\x11\0\x0c" TCP4), "192.0.2.7 12345"},
        {ROW(V2 "\x21\x11\0\x10" TCP4 "\x04\0\x01x"), "192.0.2.7 12345"}, /* a TLV */
        {ROW(V2 "\x21\x21\0\x24" TCP6), "2001:db8::7 12345"},
        {ROW(V2 "\x21\x12\0\x0c" TCP4), "own"},
        {ROW(V2 "\x21\0\0\0"), "own"},
        {ROW(V2 "\x21\0\0\x03zzz"), "own"},
        {ROW(V2 "\x20\0\0\0"), "own"},
        {ROW(V2 "\x20\x11\0\x0c" TCP4), "own"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_reads(rows[i].text, rows[i].want);
}

static void what_is_no_header_is_refused(void **state)
{
    static const struct {
        struct span text;
        enum err e;
    } rows[] = {
        {ROW("GET / HTTP/1.1\r\n"), ERR_SYNTAX},
        {ROW("\x16\x03\x01\x02"), ERR_SYNTAX},
        {ROW("PROXY\r\n"), ERR_SYNTAX},
        {ROW("proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n"), ERR_SYNTAX},
        {ROW("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n"), ERR_SYNTAX},
        {ROW("PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n"), ERR_SYNTAX},
        {ROW("PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n"), ERR_SYNTAX},
        {ROW("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), ERR_SYNTAX},
        {ROW("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"), ERR_SYNTAX},
        {ROW("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"), ERR_SYNTAX},
        {ROW("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"), ERR_SYNTAX},
        {ROW("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"), ERR_SYNTAX},
        {ROW("PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n"), ERR_SYNTAX},
        {ROW("PROXY TCP4 1.2.3.4:1 1.2.3.4 1 2\r\n"), ERR_SYNTAX},
        {ROW("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n"), ERR_SYNTAX},
        {ROW("PROXY TCP4 ::1 ::1 1 2\r\n"), ERR_SYNTAX},
        {ROW("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"), ERR_SYNTAX},
        {ROW("PROXY TCP6 [::1] ::1 1 2\r\n"), ERR_SYNTAX},
        {ROW("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"), ERR_SYNTAX},
        {ROW("PROXY TCP4 1.2.3.4\r1.2.3.4 1 2\r\n"), ERR_SYNTAX},
        {ROW("PROXY UNKNOWNS\r\n"), ERR_SYNTAX},
        {ROW(V2 "\x11\x11\0\x0c" TCP4), ERR_SYNTAX}, /* version 1 in binary */
        {ROW(V2 "\x22"), ERR_SYNTAX},
        {ROW(V2 "\x21\x13\0\x0c" TCP4), ERR_SYNTAX},
        {ROW(V2 "\x21\x41\0\x0c" TCP4), ERR_SYNTAX},
        {ROW(V2 "\x21\x11\0\x0b" TCP4), ERR_SYNTAX},
        {ROW(V2 "\x21\x21\0\x0c" TCP4), ERR_SYNTAX},
        {ROW(V2 "\x21\x31\0\x0c" TCP4), ERR_SYNTAX},
        {ROW(V2 "\x21\x11\xff\xff"), ERR_LIMIT},
        {ROW(V2 "\x21\x11\x02\x09"), ERR_LIMIT},
        {ROW(V2 "\x21\x11\x02\x08"), ERR_AGAIN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct proxy_header h;
        if (proxy_header_read(&h, rows[i].text.ptr, rows[i].text.len) != rows[i].e)
            fail_msg("row %zu: %s", i, rows[i].text.ptr);
    }
}

static void a_line_without_an_end_is_not_waited_for(void **state)
{
    struct proxy_header h;
    struct buf text = {0};
    (void)state;
    BUF_ADD_LIT(&text, "PROXY UNKNOWN ");
    while (text.len < PROXY_HEADER_V1_MAX - 1)
        buf_add_char(&text, 'x');
    assert_int_equal(proxy_header_read(&h, text.data, text.len), ERR_AGAIN);
    BUF_ADD_LIT(&text, "x\r\n");
    assert_int_equal(proxy_header_read(&h, text.data, text.len), ERR_LIMIT);
    buf_clear(&text);
}

static void names_of_unix_sockets_are_no_addresses(void **state)
{
    struct buf text = {0};
    (void)state;
    buf_add(&text, V2 "\x21\x31\0\xd8", 16);
    while (text.len < 16 + 216)
        buf_add_char(&text, '\0');
    assert_reads(buf_span(&text), "own");
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions_are_read_wherever_they_are_cut),
        cmocka_unit_test(what_is_no_header_is_refused),
        cmocka_unit_test(a_line_without_an_end_is_not_waited_for),
        cmocka_unit_test(names_of_unix_sockets_are_no_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
