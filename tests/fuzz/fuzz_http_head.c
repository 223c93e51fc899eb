/* HTTP heads: the end is found wherever the input is cut, and an accepted head has one reading:
 * clean spans, clean lines, one framing, and the same meaning when it is written again. The first
 * byte of an input says whether it is a request. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/proto/ascii.h"
#include "common/proto/http_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err parse(struct http_head *h, bool request, struct span s)
{
    return request ? http_head_parse_request(h, s.ptr, s.len)
                   : http_head_parse_response(h, s.ptr, s.len);
}

static void check_token(struct span s)
{
    assert(s.len > 0);
    for (size_t i = 0; i < s.len; i++)
        assert(ascii_is_tchar(s.ptr[i]));
}

static void check_value(struct span s)
{
    assert(s.ptr != NULL);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        assert((c >= ' ' || c == '\t') && c != 0x7F);
    }
    assert(span_eq(span_trim(s), s));
}

/* Every line ends in CRLF, and there is a header for every line but the first and the empty ones.
 */
static void check_lines(const struct http_head *h, struct span text)
{
    size_t lines = 0, start = 0;
    while (start + 1 < text.len && text.ptr[start] == '\r')
        start += 2;
    for (size_t i = start; i < text.len; i++) {
        assert((text.ptr[i] == '\n') == (i > 0 && text.ptr[i - 1] == '\r'));
        lines += text.ptr[i] == '\n';
    }
    assert(lines == h->header_count + 2);
}

static void check_head(const struct http_head *h, bool request, struct span text)
{
    assert(h->header_count <= HTTP_HEADERS_MAX && (h->minor == 0 || h->minor == 1));
    assert(h->content_length >= -1 && !(h->chunked && h->content_length >= 0));
    for (size_t i = 0; i < h->header_count; i++) {
        check_token(h->headers[i].name);
        check_value(h->headers[i].value);
    }
    check_lines(h, text);
    assert(http_head_count(h, SPAN("content-length")) == (h->content_length >= 0));
    assert(http_head_count(h, SPAN("transfer-encoding")) == h->chunked);
    if (!request) {
        assert(h->status >= 100 && h->status <= 999);
        return;
    }
    check_token(h->method);
    for (size_t i = 0; i < h->target.len; i++)
        assert((unsigned char)h->target.ptr[i] > ' ' && h->target.ptr[i] != 0x7F);
    assert(h->target.len > 0 && http_head_count(h, SPAN("host")) <= 1);
    assert(h->minor == 0 || http_head_count(h, SPAN("host")) == 1);
}

/* Writes the head again in the plainest way, reads that, and compares. */
static void check_rewrite(const struct http_head *h, bool request)
{
    struct http_head again;
    struct buf text = {.len = 0};
    if (request)
        buf_addf(&text, "%.*s %.*s HTTP/1.%d\r\n", SPAN_ARG(h->method), SPAN_ARG(h->target),
                 h->minor);
    else
        buf_addf(&text, "HTTP/1.%d %d\r\n", h->minor, h->status);
    for (size_t i = 0; i < h->header_count; i++)
        buf_addf(&text, "%.*s: %.*s\r\n", SPAN_ARG(h->headers[i].name),
                 SPAN_ARG(h->headers[i].value));
    BUF_ADD_LIT(&text, "\r\n");
    enum err e = parse(&again, request, buf_span(&text));
    /* Blanks behind colons may have taken a head of the greatest length over the limit. */
    if (e != ERR_LIMIT) {
        assert(e == ERR_OK && again.header_count == h->header_count);
        assert(again.content_length == h->content_length && again.chunked == h->chunked);
        assert(again.keep_alive == h->keep_alive && again.upgrade == h->upgrade);
        assert(again.expect_continue == h->expect_continue && again.status == h->status);
        assert(span_eq(again.method, h->method) && span_eq(again.target, h->target));
        for (size_t i = 0; i < h->header_count; i++)
            assert(span_eq(again.headers[i].value, h->headers[i].value));
    }
    buf_clear(&text);
}

/* The answer when the text comes byte by byte. */
static enum err find_bytewise(struct span text, size_t *head_len)
{
    size_t scanned = 0;
    enum err e = ERR_AGAIN;
    for (size_t len = 0; len <= text.len && e == ERR_AGAIN; len++)
        e = http_head_find(text.ptr, len, &scanned, head_len);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    bool request = (data[0] & 1) != 0;
    size_t scanned = 0, head_len = 0, bytewise_len = 0;
    struct http_head h;
    char *copy = xspandup(span_of(data + 1, size - 1));
    struct span text = span_of(copy, size - 1);
    enum err e = http_head_find(text.ptr, text.len, &scanned, &head_len);
    assert(find_bytewise(text, &bytewise_len) == e && bytewise_len == head_len);
    if (e == ERR_OK) {
        assert(head_len <= text.len && head_len <= HTTP_HEAD_MAX);
        text.len = head_len;
    }
    if (parse(&h, request, text) == ERR_OK) {
        assert(e == ERR_OK);
        check_head(&h, request, text);
        check_rewrite(&h, request);
        char *moved = xspandup(text);
        http_head_rebase(&h, copy, moved);
        memset(copy, 0, text.len);
        check_head(&h, request, span_of(moved, text.len));
        free(moved);
    }
    free(copy);
    return 0;
}
