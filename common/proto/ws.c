/* RFC 6455 framing: one pass over the input, event by event. A payload that is there as a whole is
 * unmasked where it lies; what comes in pieces is collected. Pings, the closing handshake and the
 * sockets belong to others. */
#include "common/proto/ws.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"

enum {
    FIN_BIT = 0x80,
    RSV_BITS = 0x70,
    OPCODE_BITS = 0x0F,
    MASK_BIT = 0x80,
    LEN_BITS = 0x7F,
    LEN_16 = 126, /* the length stands in the next 2 bytes */
    LEN_64 = 127, /* … in the next 8 bytes */
    MASK_LEN = 4,
};

/* ---- heads ---- */

static size_t head_size(const uint8_t *head)
{
    size_t len = head[1] & LEN_BITS;
    size_t size = len == LEN_64 ? 10 : len == LEN_16 ? 4 : 2;
    return (head[1] & MASK_BIT) != 0 ? size + MASK_LEN : size;
}

static uint64_t payload_len(const uint8_t *head)
{
    uint64_t len = head[1] & LEN_BITS;
    size_t bytes = len == LEN_64 ? 8 : len == LEN_16 ? 2 : 0;
    if (bytes == 0)
        return len;
    len = 0;
    for (size_t i = 0; i < bytes; i++)
        len = len << 8 | head[2 + i];
    return len;
}

/* Section 5.2: a length must be written in the fewest bytes. No client writes others, and
 * what is forbidden is not guessed at. */
static bool is_shortest(const uint8_t *head, uint64_t len)
{
    uint8_t form = head[1] & LEN_BITS;
    return form < LEN_16 || len >= (form == LEN_16 ? LEN_16 : UINT16_MAX + 1);
}

/* The rules that the first two bytes of a head can break. */
static enum err check_head(const struct ws_decoder *d, const uint8_t *head)
{
    bool fin = (head[0] & FIN_BIT) != 0;
    uint8_t opcode = head[0] & OPCODE_BITS, len = head[1] & LEN_BITS;
    bool may_compress = d->deflate && (opcode == WS_TEXT || opcode == WS_BINARY);
    if ((head[0] & RSV_BITS & ~(may_compress ? WS_COMPRESSED_BIT : 0)) != 0 ||
        ((head[1] & MASK_BIT) != 0) != d->expect_mask)
        return ERR_SYNTAX;
    switch (opcode) {
    case WS_CONTINUATION:
        return d->opcode != 0 ? ERR_OK : ERR_SYNTAX;
    case WS_TEXT:
    case WS_BINARY:
        return d->opcode == 0 ? ERR_OK : ERR_SYNTAX;
    case WS_CLOSE:
        return fin && len <= WS_CONTROL_MAX && len != 1 ? ERR_OK : ERR_SYNTAX;
    case WS_PING:
    case WS_PONG:
        return fin && len <= WS_CONTROL_MAX ? ERR_OK : ERR_SYNTAX;
    }
    return ERR_SYNTAX;
}

/* What does not compress grows a little: deflate's stored blocks have 5 bytes for each 16 KiB or
 * more. Whether the message is too long is seen when it is inflated. */
static size_t max_payload(const struct ws_decoder *d)
{
    return d->compressed ? d->max_message + d->max_message / 1024 + 64 : d->max_message;
}

static enum err begin_frame(struct ws_decoder *d, const uint8_t *head)
{
    enum err e = check_head(d, head);
    if (e != ERR_OK)
        return e;
    d->fin = (head[0] & FIN_BIT) != 0;
    d->frame_opcode = head[0] & OPCODE_BITS;
    d->left = payload_len(head);
    if (!is_shortest(head, d->left))
        return ERR_SYNTAX;
    if (d->frame_opcode < WS_CLOSE) {
        if (d->frame_opcode != WS_CONTINUATION)
            d->compressed = (head[0] & WS_COMPRESSED_BIT) != 0;
        /* Also the answer to a length with its top bit set, which section 5.2 forbids. */
        if (d->left > max_payload(d) - d->message.len)
            return ERR_LIMIT;
        if (d->frame_opcode != WS_CONTINUATION)
            d->opcode = d->frame_opcode;
    }
    if (d->expect_mask)
        memcpy(d->mask, head + head_size(head) - MASK_LEN, MASK_LEN);
    d->mask_at = 0;
    d->in_frame = true;
    return ERR_OK;
}

/* Takes the next head: right from the input, or by way of d->head when it comes in pieces. */
static enum err take_head(struct ws_decoder *d, const uint8_t *data, size_t len, size_t *at)
{
    const uint8_t *head = data + *at;
    if (d->head_len == 0 && len - *at >= 2 && len - *at >= head_size(head)) {
        *at += head_size(head);
        return begin_frame(d, head);
    }
    while (*at < len) {
        d->head[d->head_len++] = data[(*at)++];
        if (d->head_len < 2)
            continue;
        enum err e = check_head(d, d->head);
        if (e != ERR_OK)
            return e;
        if (d->head_len == head_size(d->head)) {
            d->head_len = 0;
            return begin_frame(d, d->head);
        }
    }
    return ERR_AGAIN;
}

/* ---- payloads ---- */

/* A part of a data frame, unmasked. Collects only what has come, never what a head announces. */
static enum err take_data(struct ws_decoder *d, char *part, size_t len, struct ws_event *event)
{
    bool whole = d->left == 0 && d->fin;
    if (d->opcode == WS_TEXT && !d->compressed && !utf8_check(&d->utf8, span_of(part, len)))
        return ERR_DENIED;
    if (whole && d->utf8 != 0)
        return ERR_DENIED;
    if (!whole || d->message.len > 0) {
        buf_add(&d->message, part, len);
        part = d->message.data;
        len = d->message.len;
    }
    if (!whole)
        return ERR_AGAIN;
    *event = (struct ws_event){
        .opcode = d->opcode, .compressed = d->compressed, .data = part, .len = len};
    d->opcode = 0;
    return ERR_OK;
}

static enum err read_close(struct ws_decoder *d, struct ws_event *event)
{
    d->closed = true;
    event->code = WS_CODE_NO_STATUS;
    if (event->len == 0)
        return ERR_OK;
    const uint8_t *bytes = (const uint8_t *)event->data;
    event->code = (uint16_t)(bytes[0] << 8 | bytes[1]); /* one byte alone is refused at the head */
    event->data += 2;
    event->len -= 2;
    if (!ws_code_is_valid(event->code))
        return ERR_SYNTAX;
    return span_is_utf8(span_of(event->data, event->len)) ? ERR_OK : ERR_DENIED;
}

static enum err take_control(struct ws_decoder *d, char *part, size_t len, struct ws_event *event)
{
    if (d->left > 0 || d->control != NULL) {
        if (d->control == NULL)
            d->control = xmalloc(WS_CONTROL_MAX);
        memcpy(d->control + d->control_len, part, len);
        d->control_len = (uint8_t)(d->control_len + len);
        part = d->control;
        len = d->control_len;
    }
    if (d->left > 0)
        return ERR_AGAIN;
    *event = (struct ws_event){.opcode = d->frame_opcode, .data = part, .len = len};
    return event->opcode == WS_CLOSE ? read_close(d, event) : ERR_OK;
}

static enum err take_payload(struct ws_decoder *d, char *data, size_t len, size_t *at,
                             struct ws_event *event)
{
    char *part = data + *at;
    size_t n = d->left < len - *at ? (size_t)d->left : len - *at;
    if (d->expect_mask)
        ws_mask(part, part, n, d->mask, d->mask_at);
    *at += n;
    d->mask_at = (uint8_t)((d->mask_at + n) % MASK_LEN);
    d->left -= n;
    d->in_frame = d->left > 0;
    return d->frame_opcode < WS_CLOSE ? take_data(d, part, n, event)
                                      : take_control(d, part, n, event);
}

static enum err decode(struct ws_decoder *d, char *data, size_t len, size_t *at,
                       struct ws_event *event)
{
    for (;;) {
        enum err e = d->in_frame ? ERR_OK : take_head(d, (const uint8_t *)data, len, at);
        if (e != ERR_OK)
            return e;
        if (d->left > 0 && *at == len)
            return ERR_AGAIN;
        e = take_payload(d, data, len, at, event);
        if (e != ERR_AGAIN)
            return e;
    }
}

/* ---- public ---- */

void ws_decoder_init(struct ws_decoder *d, bool server, size_t max_message)
{
    *d = (struct ws_decoder){.expect_mask = server, .max_message = max_message};
}

static void drop_control(struct ws_decoder *d)
{
    free(d->control);
    d->control = NULL;
    d->control_len = 0;
}

void ws_decoder_clear(struct ws_decoder *d)
{
    buf_clear(&d->message);
    drop_control(d);
}

enum err ws_decode(struct ws_decoder *d, char *data, size_t len, size_t *used,
                   struct ws_event *event)
{
    ws_decoder_release(d);
    *used = len;
    if (d->failed != ERR_OK)
        return (enum err)d->failed;
    if (d->closed)
        return ERR_AGAIN;
    size_t at = 0;
    enum err e = decode(d, data, len, &at, event);
    if (e == ERR_OK)
        *used = at;
    else if (e != ERR_AGAIN)
        d->failed = (uint8_t)e;
    return e;
}

void ws_decoder_release(struct ws_decoder *d)
{
    if (d->message.data != NULL && d->opcode == 0)
        buf_clear(&d->message);
    if (d->control != NULL && !(d->in_frame && d->frame_opcode >= WS_CLOSE))
        drop_control(d);
}

bool ws_decoder_is_midway(const struct ws_decoder *d)
{
    return d->failed == ERR_OK && !d->closed && (d->in_frame || d->head_len > 0 || d->opcode != 0);
}

size_t ws_decoder_held(const struct ws_decoder *d)
{
    return d->message.cap + (d->control == NULL ? 0 : (size_t)WS_CONTROL_MAX);
}

uint16_t ws_error_code(enum err e)
{
    if (e == ERR_SYNTAX)
        return WS_CODE_PROTOCOL;
    if (e == ERR_DENIED)
        return WS_CODE_BAD_DATA;
    return e == ERR_LIMIT ? WS_CODE_TOO_BIG : WS_CODE_INTERNAL;
}

size_t ws_encode_head(uint8_t out[WS_HEAD_MAX], enum ws_opcode opcode, uint64_t len,
                      const uint8_t mask[4])
{
    size_t bytes = len < LEN_16 ? 0 : len <= UINT16_MAX ? 2 : 8;
    size_t size = 2 + bytes;
    out[0] = (uint8_t)(FIN_BIT | opcode);
    out[1] = bytes == 0 ? (uint8_t)len : bytes == 2 ? LEN_16 : LEN_64;
    for (size_t i = 0; i < bytes; i++)
        out[size - 1 - i] = (uint8_t)(len >> (8 * i));
    if (mask == NULL)
        return size;
    out[1] |= MASK_BIT;
    memcpy(out + size, mask, MASK_LEN);
    return size + MASK_LEN;
}

void ws_mask(char *out, const char *in, size_t len, const uint8_t mask[4], size_t at)
{
    uint64_t key, w[4];
    uint8_t bytes[sizeof key] = {0};
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = mask[(at + i) % MASK_LEN];
    memcpy(&key, bytes, sizeof key);
    size_t i = 0;
    for (; len - i >= sizeof w; i += sizeof w) { /* loads first: out may be in */
        memcpy(w, in + i, sizeof w);
        w[0] ^= key;
        w[1] ^= key;
        w[2] ^= key;
        w[3] ^= key;
        memcpy(out + i, w, sizeof w);
    }
    for (; len - i >= sizeof key; i += sizeof key) {
        memcpy(w, in + i, sizeof key);
        w[0] ^= key;
        memcpy(out + i, w, sizeof key);
    }
    for (; i < len; i++)
        out[i] = (char)((uint8_t)in[i] ^ bytes[i % sizeof bytes]);
}

size_t ws_encode_close(char out[WS_CONTROL_MAX], uint16_t code, struct span reason)
{
    if (code == WS_CODE_NONE || code == WS_CODE_NO_STATUS)
        return 0;
    assert(ws_code_is_valid(code));
    size_t len = reason.len;
    if (len > WS_REASON_MAX) {
        len = WS_REASON_MAX;
        while (len > 0 && ((uint8_t)reason.ptr[len] & 0xC0) == 0x80) /* inside a character */
            len--;
    }
    out[0] = (char)(code >> 8);
    out[1] = (char)(code & 0xFF);
    if (len > 0)
        memcpy(out + 2, reason.ptr, len);
    return 2 + len;
}

bool ws_code_is_valid(uint16_t code)
{
    if (code >= 3000)
        return code <= 4999;
    return code >= 1000 && code <= 1014 && code != 1004 && code != WS_CODE_NO_STATUS &&
           code != WS_CODE_ABNORMAL;
}
