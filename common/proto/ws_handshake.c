/* The opening handshake of RFC 6455 section 4, as texts: what a request lacks, what its answer
 * says, and the same from the client's side. */
#include "common/proto/ws_handshake.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "common/proto/ascii.h"
#include "common/proto/ws_offer.h"

static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

enum { KEY_BYTES = 16, KEY_DIGITS = 22 }; /* 22 base64 digits and "==" */

const char WS_HANDSHAKE_BAD_VERSION[] = "unsupported Sec-WebSocket-Version";

/* Its only value, or {NULL, 0}. */
static struct span only_value(const struct http_head *h, struct span name)
{
    return http_head_count(h, name) == 1 ? http_head_get(h, name) : (struct span){.len = 0};
}

/* As the reference checks it: the last digit may carry bits that decode to nothing. */
static bool key_is_valid(struct span key)
{
    if (key.len != WS_KEY_LEN || key.ptr[KEY_DIGITS] != '=' || key.ptr[KEY_DIGITS + 1] != '=')
        return false;
    for (size_t i = 0; i < KEY_DIGITS; i++) {
        if (!ascii_is_alnum_or(key.ptr[i], "+/"))
            return false;
    }
    return true;
}

static bool is_token(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_is_tchar(s.ptr[i]))
            return false;
    }
    return s.len > 0;
}

/* Tokens, at least one if there is the header, and none of them twice (sections 4.1 and 4.3). */
static bool protocols_are_valid(const struct http_head *h)
{
    struct ws_protocols offered = {.head = h};
    struct span seen[WS_PROTOCOLS_MAX], protocol;
    size_t count = 0;
    while (ws_protocols_next(&offered, &protocol)) {
        if (count == WS_PROTOCOLS_MAX || !is_token(protocol))
            return false;
        for (size_t i = 0; i < count; i++) {
            if (span_eq(seen[i], protocol))
                return false;
        }
        seen[count++] = protocol;
    }
    return count > 0 || http_head_count(h, SPAN("Sec-WebSocket-Protocol")) == 0;
}

const char *ws_handshake_check(const struct http_head *h, struct span *key)
{
    struct span version = only_value(h, SPAN("Sec-WebSocket-Version"));
    *key = only_value(h, SPAN("Sec-WebSocket-Key"));
    if (!span_eq(h->method, SPAN("GET")))
        return "a WebSocket handshake must be a GET";
    if (h->minor < 1)
        return "a WebSocket handshake must be HTTP/1.1";
    if (!h->upgrade || !http_head_has_token(h, SPAN("Upgrade"), SPAN("websocket")))
        return "not an upgrade to websocket";
    if (h->chunked || h->content_length > 0) /* else its bytes would be read as frames */
        return "a WebSocket handshake must not have a body";
    if (!key_is_valid(*key))
        return "missing or invalid Sec-WebSocket-Key";
    /* Version 8 is a draft with the same frames; the reference takes it too. */
    if (!span_eq(version, SPAN("13")) && !span_eq(version, SPAN("8")))
        return WS_HANDSHAKE_BAD_VERSION;
    if (memchr(h->target.ptr, '#', h->target.len) != NULL) /* section 3 */
        return "a WebSocket's address must not have a fragment";
    if (!ws_offers_are_valid(h))
        return "invalid Sec-WebSocket-Extensions";
    return protocols_are_valid(h) ? NULL : "invalid Sec-WebSocket-Protocol";
}

void ws_handshake_accept(char out[WS_ACCEPT_LEN], struct span key)
{
    struct buf text = {.len = 0};
    unsigned char digest[SHA_DIGEST_LENGTH], base64[WS_ACCEPT_LEN + 1];
    buf_add_span(&text, key);
    BUF_ADD_LIT(&text, GUID);
    (void)SHA1((const unsigned char *)text.data, text.len, digest);
    buf_clear(&text);
    (void)EVP_EncodeBlock(base64, digest, sizeof digest);
    memcpy(out, base64, WS_ACCEPT_LEN);
}

bool ws_protocols_next(struct ws_protocols *p, struct span *out)
{
    for (;;) {
        while (span_split(&p->rest, ',', out)) {
            *out = span_trim(*out);
            if (out->len > 0)
                return true;
        }
        if (p->line == p->head->header_count)
            return false;
        const struct http_header *header = &p->head->headers[p->line++];
        if (span_ieq(header->name, SPAN("Sec-WebSocket-Protocol")))
            p->rest = header->value;
    }
}

struct span ws_handshake_protocol(const struct http_head *h)
{
    struct ws_protocols offered = {.head = h};
    struct span first;
    return ws_protocols_next(&offered, &first) ? first : (struct span){.len = 0};
}

void ws_handshake_answer(struct buf *out, struct span key, struct span protocol,
                         struct span extensions)
{
    char accept[WS_ACCEPT_LEN];
    ws_handshake_accept(accept, key);
    BUF_ADD_LIT(out, "HTTP/1.1 101 Switching Protocols\r\n"
                     "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ");
    buf_add(out, accept, sizeof accept);
    if (protocol.len > 0) {
        BUF_ADD_LIT(out, "\r\nSec-WebSocket-Protocol: ");
        buf_add_span(out, protocol);
    }
    if (extensions.len > 0) {
        BUF_ADD_LIT(out, "\r\nSec-WebSocket-Extensions: ");
        buf_add_span(out, extensions);
    }
    BUF_ADD_LIT(out, "\r\n\r\n");
}

void ws_handshake_key(char out[WS_KEY_LEN])
{
    unsigned char random[KEY_BYTES], base64[WS_KEY_LEN + 1];
    rng_bytes(random, sizeof random);
    (void)EVP_EncodeBlock(base64, random, sizeof random);
    memcpy(out, base64, WS_KEY_LEN);
}

void ws_handshake_request(struct buf *out, struct span host, struct span target, struct span key,
                          struct span headers)
{
    BUF_ADD_LIT(out, "GET ");
    buf_add_span(out, target);
    BUF_ADD_LIT(out, " HTTP/1.1\r\nHost: ");
    buf_add_span(out, host);
    BUF_ADD_LIT(out, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
    buf_add_span(out, key);
    BUF_ADD_LIT(out, "\r\n");
    buf_add_span(out, headers);
    BUF_ADD_LIT(out, "\r\n");
}

bool ws_handshake_answered(const struct http_head *h, struct span key)
{
    char accept[WS_ACCEPT_LEN];
    if (h->status != 101 || !h->upgrade ||
        !http_head_has_token(h, SPAN("Upgrade"), SPAN("websocket")) ||
        http_head_count(h, SPAN("Sec-WebSocket-Extensions")) > 0)
        return false;
    ws_handshake_accept(accept, key);
    return span_eq(only_value(h, SPAN("Sec-WebSocket-Accept")), span_of(accept, sizeof accept));
}
