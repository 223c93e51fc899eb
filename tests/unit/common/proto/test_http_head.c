#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/proto/http_head.h"

/* Parses bytes that lie in memory of just their size; `h` may be looked at until *copy is freed. */
static enum err parse(struct http_head *h, bool request, struct span bytes, char **copy)
{
    *copy = xmalloc(bytes.len + (bytes.len == 0));
    if (bytes.len > 0)
        memcpy(*copy, bytes.ptr, bytes.len);
    memset(h, 0xA5, sizeof *h); /* nothing may be taken from an earlier use */
    return request ? http_head_parse_request(h, *copy, bytes.len)
                   : http_head_parse_response(h, *copy, bytes.len);
}

static void assert_span(struct span s, const char *expected)
{
    if (!span_eq(s, span_str(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", SPAN_ARG(s), expected);
}

/* What http_head_find says about a text that arrives byte by byte. */
static enum err find_bytewise(struct span text, size_t *head_len)
{
    size_t scanned = 0;
    enum err e = ERR_AGAIN;
    for (size_t len = 0; len <= text.len && e == ERR_AGAIN; len++)
        e = http_head_find(text.ptr, len, &scanned, head_len);
    return e;
}

static void head_ends_with_its_blank_line(void **state)
{
    (void)state;
    const struct {
        struct span text;
        size_t len; /* 0: not there yet */
    } rows[] = {
        {SPAN("GET / HTTP/1.1\r\n\r\n"), 18},
        {SPAN("GET / HTTP/1.1\r\n\r\nbody\r\n\r\n"), 18},
        {SPAN("GET / HTTP/1.1\r\nA: b\r\n\r\nx"), 24},
        {SPAN("\r\n\r\nGET / HTTP/1.1\r\n\r\nx"), 22},
        {SPAN("G\n\nx"), 3},
        {SPAN("G\n\r\nx"), 4},
        {SPAN("G\r\n\nx"), 4},
        {SPAN(""), 0},
        {SPAN("\r\n\r\n\r\n"), 0},
        {SPAN("GET / HTTP/1.1\r\n"), 0},
        {SPAN("GET / HTTP/1.1\r\n\r"), 0},
        {SPAN("GET / HTTP/1.1\r\r\n"), 0},
        {SPAN("G\r\n\r\r\n"), 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t scanned = 0, len = 0, bytewise = 0;
        enum err expected = rows[i].len > 0 ? ERR_OK : ERR_AGAIN;
        assert_int_equal(http_head_find(rows[i].text.ptr, rows[i].text.len, &scanned, &len),
                         expected);
        assert_int_equal(len, rows[i].len);
        assert_int_equal(find_bytewise(rows[i].text, &bytewise), expected);
        assert_int_equal(bytewise, rows[i].len);
    }
}

static void head_is_found_over_every_split(void **state)
{
    (void)state;
    struct span text = SPAN("\r\nPOST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n\r\n\r\n");
    for (size_t split = 0; split < text.len; split++) {
        size_t scanned = 0, len = 0;
        enum err e = http_head_find(text.ptr, split, &scanned, &len);
        assert_int_equal(e, split < text.len - 4 ? ERR_AGAIN : ERR_OK);
        if (e == ERR_AGAIN)
            assert_int_equal(http_head_find(text.ptr, text.len, &scanned, &len), ERR_OK);
        assert_int_equal(len, text.len - 4);
    }
}

static void head_longer_than_the_limit_is_refused(void **state)
{
    (void)state;
    static const char start[] = "GET / HTTP/1.1\r\nHost: x\r\nA: ";
    static const char end[4] = {'\r', '\n', '\r', '\n'};
    enum { ROOM = HTTP_HEAD_MAX + 10 };
    char *text = xmalloc(ROOM);
    for (size_t len = HTTP_HEAD_MAX - 1; len <= HTTP_HEAD_MAX + 1; len++) {
        memset(text, 'a', ROOM);
        memcpy(text, start, sizeof start - 1);
        memcpy(text + len - sizeof end, end, sizeof end);
        struct http_head h;
        size_t scanned = 0, head_len = 0;
        enum err expected = len <= HTTP_HEAD_MAX ? ERR_OK : ERR_LIMIT;
        assert_int_equal(http_head_find(text, ROOM, &scanned, &head_len), expected);
        assert_int_equal(find_bytewise(span_of(text, ROOM), &head_len), expected);
        assert_int_equal(http_head_parse_request(&h, text, len), expected);
    }
    memset(text, '\n', ROOM);
    size_t scanned = 0, head_len;
    assert_int_equal(http_head_find(text, HTTP_HEAD_MAX - 1, &scanned, &head_len), ERR_AGAIN);
    assert_int_equal(http_head_find(text, HTTP_HEAD_MAX, &scanned, &head_len), ERR_LIMIT);
    free(text);
}

static void request_is_read_into_its_parts(void **state)
{
    (void)state;
    struct http_head h;
    char *copy;
    struct span text = SPAN("\r\nPOST /parties/world/w/connect?a=b#c HTTP/1.1\r\n"
                            "Host: example.com:3002\r\n"
                            "content-LENGTH: 12\r\n"
                            "X-Empty:\r\n"
                            "X-Blank: \t \r\n"
                            "X-Trailing:  a b \t\r\n"
                            "X-High: \xc3\xa9\r\n"
                            "Connection: keep-alive, Close\r\n"
                            "Expect: 100-Continue\r\n\r\n");
    assert_int_equal(parse(&h, true, text, &copy), ERR_OK);
    assert_span(h.method, "POST");
    assert_span(h.target, "/parties/world/w/connect?a=b#c");
    assert_int_equal(h.minor, 1);
    assert_int_equal(h.content_length, 12);
    assert_false(h.chunked);
    assert_false(h.keep_alive);
    assert_false(h.upgrade);
    assert_true(h.expect_continue);
    assert_int_equal(h.header_count, 8);
    assert_span(h.headers[1].name, "content-LENGTH");
    assert_span(http_head_get(&h, SPAN("HOST")), "example.com:3002");
    assert_span(http_head_get(&h, SPAN("x-trailing")), "a b");
    assert_span(http_head_get(&h, SPAN("x-high")), "\xc3\xa9");
    assert_span(http_head_get(&h, SPAN("x-empty")), "");
    assert_non_null(http_head_get(&h, SPAN("x-empty")).ptr);
    assert_span(http_head_get(&h, SPAN("x-blank")), "");
    assert_null(http_head_get(&h, SPAN("x-none")).ptr);
    free(copy);
}

static void absolute_target_says_the_host(void **state)
{
    (void)state;
    struct http_head h;
    char *copy;
    static const char *const rows[][2] = {
        {"GET http://b:81/x HTTP/1.1\r\nHost: a\r\n\r\n", "b:81"},
        {"GET HTTPS://[::1]?x HTTP/1.1\r\nX: y\r\nhost:\r\n\r\n", "[::1]"},
        {"GET http://b HTTP/1.1\r\nHost: b\r\n\r\n", "b"},
        {"GET /http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "a"},
        {"GET ws://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "a"}, /* no target that is served */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(parse(&h, true, span_str(rows[i][0]), &copy), ERR_OK);
        assert_span(http_head_get(&h, SPAN("host")), rows[i][1]);
        free(copy);
    }
}

static void response_is_read_into_its_parts(void **state)
{
    (void)state;
    struct http_head h;
    char *copy;
    struct span text = SPAN("HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n"
                            "Transfer-Encoding: Chunked\r\nHost: a\r\nHost: b c\r\n\r\n");
    assert_int_equal(parse(&h, false, text, &copy), ERR_OK);
    assert_int_equal(h.status, 204);
    assert_int_equal(h.minor, 1);
    assert_int_equal(h.content_length, -1);
    assert_true(h.chunked);
    assert_true(h.keep_alive);
    assert_null(h.method.ptr);
    assert_null(h.target.ptr);
    free(copy);
}

struct row {
    const char *text; /* of a request line and headers; the rest is added by the test */
    enum err expected;
};

#define R "GET / HTTP/1.1\r\n"
#define H R "Host: x\r\n"

static const struct row requests[] = {
    /* the request line */
    {H, ERR_OK},
    {"GET / HTTP/1.0\r\n", ERR_OK},
    {"GET http://x/y HTTP/1.1\r\nHost: x\r\n", ERR_OK},
    {"OPTIONS * HTTP/1.1\r\nHost: x\r\n", ERR_OK},
    {"GET /\xc3\xa9?\xff HTTP/1.1\r\nHost: x\r\n", ERR_OK},
    {"\r\n\r\n" H, ERR_OK},
    {"\n" H, ERR_SYNTAX},
    {"\r" H, ERR_SYNTAX},
    {" " H, ERR_SYNTAX},
    {"GET /\r\n", ERR_SYNTAX},
    {"GET / HTTP/0.9\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET / HTTP/1.2\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET / HTTP/2.0\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET / HTTP/11\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET / HTTP/1.1 \r\nHost: x\r\n", ERR_SYNTAX},
    {"GET / HTTP/01.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET / http/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET / Hxxx/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"SOURCE / ICE/1.0\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET  / HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET /  HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET\t/ HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET /\tx HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET /a b HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET /a\fb HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET /a\x7f HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET /a\x01 HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET x HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"get / HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"FOO / HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"PRI * HTTP/2.0\r\n", ERR_SYNTAX},
    {"HTTP/1.1 200 OK\r\n", ERR_SYNTAX},
    {"\x16\x03\x01\x02", ERR_SYNTAX},
    /* lines */
    {"GET / HTTP/1.1\nHost: x\r\n", ERR_SYNTAX},
    {R "Host: x\n", ERR_SYNTAX},
    {R "Host: x\nA: b\r\n", ERR_SYNTAX},
    {H "A: b\r\n c\r\n", ERR_SYNTAX},
    {H "A: b\r\n\tc\r\n", ERR_SYNTAX},
    {H "A:\r\n b\r\n", ERR_SYNTAX},
    {H "A:\n\r\n", ERR_SYNTAX},
    {H "A:\n", ERR_SYNTAX},
    {H "A: \r\n \r\n", ERR_SYNTAX},
    {R " Host: x\r\n", ERR_SYNTAX},
    {H "A: b\rc\r\n", ERR_SYNTAX},
    {H "A: \rb\r\n", ERR_SYNTAX},
    {H "A: b\r\r\n", ERR_SYNTAX},
    /* names and values */
    {H "A : b\r\n", ERR_SYNTAX},
    {H "A\t: b\r\n", ERR_SYNTAX},
    {H "A B: c\r\n", ERR_SYNTAX},
    {H ": b\r\n", ERR_SYNTAX},
    {H "A\r\n", ERR_SYNTAX},
    {H "A(: b\r\n", ERR_SYNTAX},
    {H "\xc3\xa9: b\r\n", ERR_SYNTAX},
    {H "A: b\x01\r\n", ERR_SYNTAX},
    {H "A: \x01"
       "b\r\n",
     ERR_SYNTAX},
    {H "A: \x0b"
       "b\r\n",
     ERR_SYNTAX},
    {H "A: \x7f\r\n", ERR_SYNTAX},
    {H "A: b\tc\r\n", ERR_OK},
    {H "A: \xff\r\n", ERR_OK},
    {H "!#$%&'*+-.^_`|~09: b\r\n", ERR_OK},
    /* Host */
    {R, ERR_SYNTAX},
    {H "Host: x\r\n", ERR_SYNTAX},
    {H "hOST: y\r\n", ERR_SYNTAX},
    {"GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n", ERR_SYNTAX},
    {R "Host:\r\n", ERR_OK},
    {R "Host: [::1]:3002\r\n", ERR_OK},
    {R "Host: a_b.example:1\r\n", ERR_OK},
    {R "Host: a b\r\n", ERR_SYNTAX},
    {R "Host: a/b\r\n", ERR_SYNTAX},
    {R "Host: a@b\r\n", ERR_SYNTAX},
    {R "Host: a,b c\r\n", ERR_SYNTAX},
    {R "Host: a:b\r\n", ERR_SYNTAX},
    {R "Host: a:65536\r\n", ERR_SYNTAX},
    {R "Host: [::1\r\n", ERR_SYNTAX},
    {R "Host: \xc3\xa9\r\n", ERR_SYNTAX},
    /* framing */
    {H "Content-Length: 0\r\n", ERR_OK},
    {H "Content-Length: 9223372036854775807\r\n", ERR_OK},
    {H "Content-Length: 9223372036854775808\r\n", ERR_SYNTAX},
    {H "Content-Length: 18446744073709551621\r\n", ERR_SYNTAX},
    {H "Content-Length:\r\n", ERR_SYNTAX},
    {H "Content-Length: +5\r\n", ERR_SYNTAX},
    {H "Content-Length: -5\r\n", ERR_SYNTAX},
    {H "Content-Length: 0x5\r\n", ERR_SYNTAX},
    {H "Content-Length: 5 5\r\n", ERR_SYNTAX},
    {H "Content-Length: 5, 5\r\n", ERR_SYNTAX},
    {H "Content-Length: 5\r\nContent-Length: 5\r\n", ERR_SYNTAX},
    {H "Content-Length: 5\r\nContent-Length: 6\r\n", ERR_SYNTAX},
    {H "Transfer-Encoding: chunked\r\n", ERR_OK},
    {H "Transfer-Encoding: CHUNKED \r\n", ERR_OK},
    {H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", ERR_SYNTAX},
    {H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", ERR_SYNTAX},
    {H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", ERR_SYNTAX},
    {H "Transfer-Encoding: chunked, chunked\r\n", ERR_SYNTAX},
    {H "Transfer-Encoding: gzip, chunked\r\n", ERR_SYNTAX},
    {H "Transfer-Encoding: gzip\r\n", ERR_SYNTAX},
    {H "Transfer-Encoding: identity\r\n", ERR_SYNTAX},
    {H "Transfer-Encoding:\r\n", ERR_SYNTAX},
    {H "Transfer-Encoding: xchunked\r\n", ERR_SYNTAX},
    {H "Transfer-Encoding: \x0b"
       "chunked\r\n",
     ERR_SYNTAX},
    {H "Transfer-Encoding: chunked\x0b\r\n", ERR_SYNTAX},
    {H "Transfer-Encoding: chunked;q=1\r\n", ERR_SYNTAX},
    {H "Transfer-Encoding:\r\n", ERR_SYNTAX},
    {H "Transfer-Encoding: \t chunked \r\n", ERR_OK},
    {H "Content-Length: \t5 \r\n", ERR_OK},
    {H "Content-Length: 5\x0b\r\n", ERR_SYNTAX},
    {H "X\x7f: y\r\n", ERR_SYNTAX},
    {H "X/: y\r\n", ERR_SYNTAX},
    {"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n", ERR_SYNTAX},
    {"GET http://user@x/y HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET http://x:99999/y HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"GET http://a<b/y HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", ERR_SYNTAX},
    {"POST / HTTP/1.0\r\nContent-Length: 5\r\n", ERR_OK},
};

static const struct row responses[] = {
    {"HTTP/1.1 200 OK\r\n", ERR_OK},
    {"HTTP/1.0 200 OK\r\n", ERR_OK},
    {"HTTP/1.1 200\r\n", ERR_OK},
    {"HTTP/1.1 200 \r\n", ERR_OK},
    {"HTTP/1.1 200 \xc3\xa9 b\r\n", ERR_OK},
    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", ERR_OK},
    {"HTTP/1.1 599 x\r\n", ERR_OK},
    {"HTTP/1.1 099 x\r\n", ERR_SYNTAX},
    {"HTTP/1.1 99 x\r\n", ERR_SYNTAX},
    {"HTTP/1.1 0200 x\r\n", ERR_SYNTAX},
    {"HTTP/1.1  200 x\r\n", ERR_SYNTAX},
    {"HTTP/1.1 200x\r\n", ERR_SYNTAX},
    {"HTTP/1.1 2000 x\r\n", ERR_SYNTAX},
    {"HTTP/1.1 20\r\n", ERR_SYNTAX},
    {"HTTP/1.1\r\n", ERR_SYNTAX},
    {"HTTP/2 200 OK\r\n", ERR_SYNTAX},
    {"HTTP/1.2 200 OK\r\n", ERR_SYNTAX},
    {"HTTP/1.1 200 OK\n", ERR_SYNTAX},
    {"HTTP/1.1 200 OK\r\x07\r\n", ERR_SYNTAX},
    {"HTTP/1.1 200 \x01\r\n", ERR_SYNTAX},
    {"\r\nHTTP/1.1 200 OK\r\n", ERR_SYNTAX},
    {"GET / HTTP/1.1\r\nHost: x\r\n", ERR_SYNTAX},
    {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n", ERR_SYNTAX},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n", ERR_SYNTAX},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", ERR_SYNTAX},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n", ERR_SYNTAX},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", ERR_SYNTAX},
};

static void assert_rows(const struct row *rows, size_t count, bool request)
{
    for (size_t i = 0; i < count; i++) {
        struct http_head h;
        struct buf text = {.len = 0};
        char *copy;
        buf_add_span(&text, span_str(rows[i].text));
        BUF_ADD_LIT(&text, "\r\n");
        enum err e = parse(&h, request, buf_span(&text), &copy);
        if (e != rows[i].expected)
            fail_msg("%s for \"%s\"", err_text(e), rows[i].text);
        free(copy);
        buf_clear(&text);
    }
}

static void requests_are_accepted_or_refused(void **state)
{
    (void)state;
    assert_rows(requests, sizeof requests / sizeof *requests, true);
}

static void responses_are_accepted_or_refused(void **state)
{
    (void)state;
    assert_rows(responses, sizeof responses / sizeof *responses, false);
}

/* A blank or tab may stand inside a value; no other control character may stand anywhere. */
static void control_characters_are_refused_everywhere(void **state)
{
    (void)state;
    static const char good[] = "GET /ab HTTP/1.1\r\nHost: ab\r\nAb: cd\r\n\r\n";
    for (int c = 0; c <= 0x7F; c = c == 0x1F ? 0x7F : c + 1) {
        for (size_t i = 0; i < sizeof good - 1; i++) {
            struct http_head h;
            char text[sizeof good], *copy;
            bool in_value = i >= sizeof "GET /ab HTTP/1.1\r\nHost:" - 1 && good[i] != '\r' &&
                            good[i] != '\n' && good[i] != ':' && good[i] != 'A' &&
                            good[i - 1] != 'A';
            memcpy(text, good, sizeof good);
            text[i] = (char)c;
            enum err e = parse(&h, true, span_of(text, sizeof good - 1), &copy);
            free(copy);
            if (good[i] != c && !(c == '\t' && in_value))
                assert_int_equal(e, ERR_SYNTAX);
        }
    }
}

static void version_is_read_to_the_letter(void **state)
{
    (void)state;
    static const char good[] = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
    for (size_t i = 0; i < sizeof "HTTP/1.1" - 1; i++) {
        struct http_head h;
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        text[i]++;
        assert_int_equal(http_head_parse_response(&h, text, sizeof good - 1), ERR_SYNTAX);
    }
}

static void truncated_head_is_never_accepted(void **state)
{
    (void)state;
    const struct {
        bool request;
        struct span text;
    } rows[] = {
        {true, SPAN("\r\nPOST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nA:\r\n\r\n")},
        {false, SPAN("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t len = 0; len <= rows[i].text.len; len++) {
            struct http_head h;
            char *copy;
            enum err e = parse(&h, rows[i].request, span_slice(rows[i].text, 0, len), &copy);
            assert_int_equal(e, len < rows[i].text.len ? ERR_SYNTAX : ERR_OK);
            free(copy);
        }
    }
}

static void bytes_behind_the_head_are_refused(void **state)
{
    (void)state;
    struct http_head h;
    struct span two = SPAN("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(http_head_parse_request(&h, two.ptr, two.len), ERR_SYNTAX);
}

static void too_many_headers_are_over_the_limit(void **state)
{
    (void)state;
    for (size_t count = HTTP_HEADERS_MAX - 1; count <= HTTP_HEADERS_MAX + 1; count++) {
        struct http_head h;
        struct buf text = {.len = 0};
        char *copy;
        BUF_ADD_LIT(&text, "GET / HTTP/1.1\r\nHost: x\r\n");
        for (size_t i = 1; i < count; i++)
            buf_addf(&text, "X-%zu: %zu\r\n", i, i);
        BUF_ADD_LIT(&text, "\r\n");
        enum err e = parse(&h, true, buf_span(&text), &copy);
        assert_int_equal(e, count <= HTTP_HEADERS_MAX ? ERR_OK : ERR_LIMIT);
        if (e == ERR_OK)
            assert_int_equal(h.header_count, count);
        free(copy);
        buf_clear(&text);
    }
}

static void connection_says_what_becomes_of_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool keep_alive, upgrade, expect;
    } rows[] = {
        {H, true, false, false},
        {H "Connection: close\r\n", false, false, false},
        {H "Connection: CLOSE\r\n", false, false, false},
        {H "Connection: closed\r\n", true, false, false},
        {H "Connection: keep-alive\r\nConnection: close\r\n", false, false, false},
        {H "Connection: Upgrade\r\n", true, false, false},
        {H "Upgrade: websocket\r\n", true, false, false},
        {H "Connection: Upgrade\r\nUpgrade: websocket\r\n", true, true, false},
        {H "Upgrade: x\r\nConnection: a,,\t uPGRADE ,b\r\n", true, true, false},
        {H "Expect: 100-continue\r\n", true, false, true},
        {H "Expect: 200\r\n", true, false, false},
        {"GET / HTTP/1.0\r\n", false, false, false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", true, false, false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n", false, false, false},
        {"GET / HTTP/1.0\r\nExpect: 100-continue\r\n", false, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_head h;
        struct buf text = {.len = 0};
        buf_addf(&text, "%s\r\n", rows[i].text);
        assert_int_equal(http_head_parse_request(&h, text.data, text.len), ERR_OK);
        if (h.keep_alive != rows[i].keep_alive || h.upgrade != rows[i].upgrade ||
            h.expect_continue != rows[i].expect)
            fail_msg("%s", rows[i].text);
        buf_clear(&text);
    }
}

static void headers_are_looked_up_over_all_occurrences(void **state)
{
    (void)state;
    struct http_head h;
    struct span text = SPAN(H "Via: a, b\r\nX: 1\r\nvia: c ,D\r\nVia2: e\r\n\r\n");
    assert_int_equal(http_head_parse_request(&h, text.ptr, text.len), ERR_OK);
    assert_int_equal(http_head_count(&h, SPAN("VIA")), 2);
    assert_int_equal(http_head_count(&h, SPAN("none")), 0);
    assert_span(http_head_get(&h, SPAN("via")), "a, b");
    assert_true(http_head_has_token(&h, SPAN("via"), SPAN("a")));
    assert_true(http_head_has_token(&h, SPAN("via"), SPAN("d")));
    assert_false(http_head_has_token(&h, SPAN("via"), SPAN("e")));
    assert_false(http_head_has_token(&h, SPAN("via"), SPAN("a, b")));
}

static void hop_headers_are_known_by_list_and_by_connection(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool hop;
    } rows[] = {{"connection", true},
                {"Keep-Alive", true},
                {"proxy-connection", true},
                {"te", true},
                {"Trailer", true},
                {"transfer-encoding", true},
                {"upgrade", true},
                {"x-mine", true},
                {"X-Yours", true},
                {"host", false},
                {"content-length", false},
                {"x-other", false},
                {"", false},
                {"proxy-authorization", false}};
    struct http_head h;
    struct span text = SPAN(H "Connection: X-Mine\r\nConnection: close, x-yours,\r\n\r\n");
    assert_int_equal(http_head_parse_request(&h, text.ptr, text.len), ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(http_head_is_hop(&h, span_str(rows[i].name)), rows[i].hop);
}

static void rebase_moves_every_span(void **state)
{
    (void)state;
    struct http_head h;
    struct span text = SPAN("GET /a HTTP/1.1\r\nHost: x\r\nE:\r\n\r\n");
    char *first, copy[64];
    assert_int_equal(parse(&h, true, text, &first), ERR_OK);
    memcpy(copy, first, text.len);
    http_head_rebase(&h, first, copy);
    free(first);
    assert_ptr_equal(h.method.ptr, copy);
    assert_ptr_equal(h.target.ptr, copy + 4);
    assert_span(http_head_get(&h, SPAN("host")), "x");
    assert_in_range((uintptr_t)http_head_get(&h, SPAN("e")).ptr, (uintptr_t)copy,
                    (uintptr_t)(copy + text.len));
    text = SPAN("HTTP/1.1 200 OK\r\n\r\n");
    assert_int_equal(http_head_parse_response(&h, text.ptr, text.len), ERR_OK);
    http_head_rebase(&h, text.ptr, copy);
    assert_null(h.method.ptr);
}

static void statuses_have_their_phrases(void **state)
{
    (void)state;
    assert_string_equal(http_reason(200), "OK");
    assert_string_equal(http_reason(101), "Switching Protocols");
    assert_string_equal(http_reason(431), "Request Header Fields Too Large");
    assert_string_equal(http_reason(599), "Unknown");
    assert_string_equal(http_reason(-1), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_ends_with_its_blank_line),
        cmocka_unit_test(head_is_found_over_every_split),
        cmocka_unit_test(head_longer_than_the_limit_is_refused),
        cmocka_unit_test(request_is_read_into_its_parts),
        cmocka_unit_test(absolute_target_says_the_host),
        cmocka_unit_test(response_is_read_into_its_parts),
        cmocka_unit_test(requests_are_accepted_or_refused),
        cmocka_unit_test(responses_are_accepted_or_refused),
        cmocka_unit_test(control_characters_are_refused_everywhere),
        cmocka_unit_test(version_is_read_to_the_letter),
        cmocka_unit_test(truncated_head_is_never_accepted),
        cmocka_unit_test(bytes_behind_the_head_are_refused),
        cmocka_unit_test(too_many_headers_are_over_the_limit),
        cmocka_unit_test(connection_says_what_becomes_of_it),
        cmocka_unit_test(headers_are_looked_up_over_all_occurrences),
        cmocka_unit_test(hop_headers_are_known_by_list_and_by_connection),
        cmocka_unit_test(rebase_moves_every_span),
        cmocka_unit_test(statuses_have_their_phrases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
