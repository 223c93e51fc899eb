#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/proto/ws_handshake.h"

/* The key of RFC 6455 section 1.3 and its answer. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define START   "GET /chat HTTP/1.1\r\nHost: x\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEYLINE "Sec-WebSocket-Key: " KEY "\r\n"
#define GOOD    START UPGRADE VERSION KEYLINE

static void parse_request(struct http_head *h, struct buf *text, const char *lines)
{
    buf_reset(text);
    buf_addf(text, "%s\r\n", lines);
    if (http_head_parse_request(h, text->data, text->len) != ERR_OK)
        fail_msg("not a head: %s", lines);
}

static void accept_key_is_that_of_the_rfc(void **state)
{
    (void)state;
    char out[WS_ACCEPT_LEN];
    ws_handshake_accept(out, SPAN(KEY));
    assert_memory_equal(out, ACCEPT, sizeof out);
}

static void requests_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        bool good;
    } rows[] = {
        {GOOD, true},
        {START "upgrade: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n" VERSION KEYLINE, true},
        {START UPGRADE KEYLINE "Sec-WebSocket-Version: 8\r\n", true},
        {GOOD "Content-Length: 0\r\n", true},
        {GOOD "Sec-WebSocket-Protocol: chat, superchat\r\n", true},
        {GOOD "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: b\r\n", true},
        {GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n", true},
        {GOOD "Sec-WebSocket-Extensions: a; b=1; c=\"d\", e\r\n", true},
        {GOOD "Sec-WebSocket-Protocol: a,,b\r\n", true},
        {GOOD "Sec-WebSocket-Protocol: ,a,\r\n", true},
        {GOOD "Sec-WebSocket-Protocol:\r\nSec-WebSocket-Protocol: a\r\n", true},
        {START VERSION KEYLINE, false},
        {START "Upgrade: h2c\r\nConnection: Upgrade\r\n" VERSION KEYLINE, false},
        {START "Upgrade: websocket\r\n" VERSION KEYLINE, false},
        {START "Connection: Upgrade\r\n" VERSION KEYLINE, false},
        {"POST / HTTP/1.1\r\nHost: x\r\n" UPGRADE VERSION KEYLINE, false},
        {"GET / HTTP/1.0\r\nHost: x\r\n" UPGRADE VERSION KEYLINE, false},
        {GOOD "Content-Length: 1\r\n", false},
        {GOOD "Transfer-Encoding: chunked\r\n", false},
        {START UPGRADE VERSION, false},
        {GOOD KEYLINE, false},
        {START UPGRADE VERSION "Sec-WebSocket-Key:\r\n", false},
        {START UPGRADE VERSION "Sec-WebSocket-Key: short\r\n", false},
        {START UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n", false},
        {START UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA=\r\n", false},
        {START UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j-Q==\r\n", false},
        {START UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==x\r\n", false},
        {GOOD "Sec-WebSocket-Protocol:\r\n", false},
        {GOOD "Sec-WebSocket-Protocol: a b\r\n", false},
        {GOOD "Sec-WebSocket-Protocol: , ,\r\n", false},
        {GOOD "Sec-WebSocket-Protocol: a, b, a\r\n", false},
        {GOOD "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b,a\r\n", false},
        {GOOD "Sec-WebSocket-Extensions: a;\r\n", false},
        {GOOD "Sec-WebSocket-Extensions:\r\n", false},
        {"GET /chat#a HTTP/1.1\r\nHost: x\r\n" UPGRADE VERSION KEYLINE, false},
        {GOOD "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b;c\r\n", false},
    };
    struct buf text = {.len = 0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_head h;
        struct span key;
        parse_request(&h, &text, rows[i].lines);
        const char *wrong = ws_handshake_check(&h, &key);
        if ((wrong == NULL) != rows[i].good)
            fail_msg("%s: %s", wrong == NULL ? "accepted" : wrong, rows[i].lines);
        if (wrong == NULL)
            assert_true(span_eq(key, SPAN(KEY)));
        assert_ptr_not_equal(wrong, WS_HANDSHAKE_BAD_VERSION);
    }
    buf_clear(&text);
}

static void so_many_subprotocols_are_too_many(void **state)
{
    (void)state;
    struct buf text = {.len = 0}, lines = {.len = 0};
    for (size_t count = WS_PROTOCOLS_MAX; count <= WS_PROTOCOLS_MAX + 1; count++) {
        struct http_head h;
        struct span key;
        buf_reset(&lines);
        BUF_ADD_LIT(&lines, GOOD "Sec-WebSocket-Protocol: ");
        for (size_t i = 0; i < count; i++)
            buf_addf(&lines, i == 0 ? "p%zu" : ",p%zu", i);
        buf_add(&lines, "\r\n", sizeof "\r\n");
        parse_request(&h, &text, lines.data);
        assert_int_equal(ws_handshake_check(&h, &key) == NULL, count == WS_PROTOCOLS_MAX);
    }
    buf_clear(&text);
    buf_clear(&lines);
}

static void bad_version_is_told_apart(void **state)
{
    (void)state;
    static const char *const rows[] = {
        START UPGRADE KEYLINE,
        START UPGRADE KEYLINE "Sec-WebSocket-Version:\r\n",
        START UPGRADE KEYLINE "Sec-WebSocket-Version: 12\r\n",
        START UPGRADE KEYLINE "Sec-WebSocket-Version: 13, 8\r\n",
        GOOD VERSION,
    };
    struct buf text = {.len = 0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_head h;
        struct span key;
        parse_request(&h, &text, rows[i]);
        assert_ptr_equal(ws_handshake_check(&h, &key), WS_HANDSHAKE_BAD_VERSION);
    }
    buf_clear(&text);
}

static void first_subprotocol_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *protocol; /* NULL: none */
    } rows[] = {
        {GOOD, NULL},
        {GOOD "Sec-WebSocket-Protocol: chat\r\n", "chat"},
        {GOOD "Sec-WebSocket-Protocol: superchat , chat\r\n", "superchat"},
        {GOOD "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n", "a"},
        {GOOD "Sec-WebSocket-Protocol: \r\nSec-WebSocket-Protocol: ,, b\r\n", "b"},
    };
    struct buf text = {.len = 0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_head h;
        parse_request(&h, &text, rows[i].lines);
        struct span protocol = ws_handshake_protocol(&h);
        assert_true(span_eq(protocol, span_str(rows[i].protocol)));
        assert_int_equal(protocol.ptr == NULL, rows[i].protocol == NULL);
    }
    buf_clear(&text);
}

static void answer_holds_accept_key_and_subprotocol(void **state)
{
    (void)state;
    static const char plain[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n";
    struct buf out = {.len = 0};
    ws_handshake_answer(&out, SPAN(KEY), (struct span){.ptr = NULL}, SPAN(""));
    assert_true(span_starts(buf_span(&out), span_str(plain)));
    assert_true(span_eq(span_slice(buf_span(&out), sizeof plain - 1, out.len), SPAN("\r\n")));
    buf_reset(&out);
    ws_handshake_answer(&out, SPAN(KEY), SPAN("chat"), SPAN("x; y"));
    assert_true(span_ends(buf_span(&out), SPAN("\r\nSec-WebSocket-Protocol: chat\r\n"
                                               "Sec-WebSocket-Extensions: x; y\r\n\r\n")));
    buf_clear(&out);
}

static void our_request_passes_our_check_and_our_answer_too(void **state)
{
    (void)state;
    char key[WS_KEY_LEN], other[WS_KEY_LEN];
    struct buf request = {.len = 0}, answer = {.len = 0};
    struct http_head h;
    struct span seen;
    ws_handshake_key(key);
    ws_handshake_key(other);
    assert_memory_not_equal(key, other, sizeof key);
    ws_handshake_request(&request, SPAN("[::1]:3003"), SPAN("/parties/main/a"),
                         span_of(key, sizeof key), SPAN("x-access-shard: s\r\n"));
    assert_int_equal(http_head_parse_request(&h, request.data, request.len), ERR_OK);
    assert_null(ws_handshake_check(&h, &seen));
    assert_memory_equal(seen.ptr, key, sizeof key);
    assert_true(span_eq(h.target, SPAN("/parties/main/a")));
    assert_true(span_eq(http_head_get(&h, SPAN("Host")), SPAN("[::1]:3003")));
    assert_true(span_eq(http_head_get(&h, SPAN("X-Access-Shard")), SPAN("s")));
    ws_handshake_answer(&answer, seen, (struct span){.ptr = NULL}, SPAN(""));
    assert_int_equal(http_head_parse_response(&h, answer.data, answer.len), ERR_OK);
    assert_true(ws_handshake_answered(&h, span_of(key, sizeof key)));
    assert_false(ws_handshake_answered(&h, span_of(other, sizeof other)));
    buf_clear(&request);
    buf_clear(&answer);
}

static void foreign_answers_are_checked(void **state)
{
    (void)state;
#define ACCEPTLINE "Sec-WebSocket-Accept: " ACCEPT "\r\n"
    static const struct {
        const char *lines;
        bool good;
    } rows[] = {
        {"HTTP/1.1 101 x\r\n" UPGRADE ACCEPTLINE, true},
        {"HTTP/1.1 101 x\r\nupgrade: WEBSOCKET\r\nconnection: upgrade\r\n" ACCEPTLINE, true},
        {"HTTP/1.1 200 x\r\n" UPGRADE ACCEPTLINE, false},
        {"HTTP/1.1 101 x\r\n" UPGRADE, false},
        {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n" ACCEPTLINE, false},
        {"HTTP/1.1 101 x\r\nConnection: Upgrade\r\n" ACCEPTLINE, false},
        {"HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" ACCEPTLINE, false},
        {"HTTP/1.1 101 x\r\n" UPGRADE ACCEPTLINE ACCEPTLINE, false},
        {"HTTP/1.1 101 x\r\n" UPGRADE "Sec-WebSocket-Accept: " KEY "\r\n", false},
        {"HTTP/1.1 101 x\r\n" UPGRADE "Sec-WebSocket-Accept: " ACCEPT "x\r\n", false},
        {"HTTP/1.1 101 x\r\n" UPGRADE ACCEPTLINE "Sec-WebSocket-Extensions: x\r\n", false},
    };
    struct buf text = {.len = 0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_head h;
        buf_reset(&text);
        buf_addf(&text, "%s\r\n", rows[i].lines);
        assert_int_equal(http_head_parse_response(&h, text.data, text.len), ERR_OK);
        if (ws_handshake_answered(&h, SPAN(KEY)) != rows[i].good)
            fail_msg("%s", rows[i].lines);
    }
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_key_is_that_of_the_rfc),
        cmocka_unit_test(requests_are_checked),
        cmocka_unit_test(so_many_subprotocols_are_too_many),
        cmocka_unit_test(bad_version_is_told_apart),
        cmocka_unit_test(first_subprotocol_is_taken),
        cmocka_unit_test(answer_holds_accept_key_and_subprotocol),
        cmocka_unit_test(our_request_passes_our_check_and_our_answer_too),
        cmocka_unit_test(foreign_answers_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
