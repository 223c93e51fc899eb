/* Bodies: by length, in chunks, or until the end. The chunk reader takes framing byte by byte and
 * content by the run, and is strict: what it lets pass is read the same way by everybody. */
#include "common/proto/http_body.h"

#include <assert.h>

#include "common/proto/ascii.h"

enum {
    LINE_MAX_BYTES = 256, /* size and extensions */
    SIZE_DIGITS_MAX = 16,
    TRAILERS_MAX_BYTES = 8 * 1024,
};

enum chunk_state {
    CHUNK_SIZE,      /* digits; at least one */
    CHUNK_EXTENSION, /* behind a ';' */
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER, /* at the start of a trailer line, or of the empty one that ends all */
    CHUNK_TRAILER_NAME,
    CHUNK_TRAILER_VALUE,
    CHUNK_TRAILER_LF,
    CHUNK_END_LF,
};

static enum err go(struct http_body *b, enum chunk_state state)
{
    b->state = (uint8_t)state;
    return ERR_OK;
}

/* Goes on when the byte is the one that must stand here. */
static enum err expect(struct http_body *b, char c, char wanted, enum chunk_state state)
{
    return c == wanted ? go(b, state) : ERR_SYNTAX;
}

/* No blanks around the size: those who allow them do not agree on which. */
static enum err read_size(struct http_body *b, char c)
{
    int digit = ascii_hex(c);
    if (digit >= 0) {
        if (b->line_len > SIZE_DIGITS_MAX || b->left > INT64_MAX >> 4)
            return ERR_SYNTAX;
        b->left = b->left << 4 | (uint64_t)digit;
        return ERR_OK;
    }
    if (b->line_len == 1)
        return ERR_SYNTAX;
    return c == ';' ? go(b, CHUNK_EXTENSION) : expect(b, c, '\r', CHUNK_SIZE_LF);
}

static enum err end_size(struct http_body *b, char c)
{
    b->line_len = 0;
    return expect(b, c, '\n', b->left > 0 ? CHUNK_DATA : CHUNK_TRAILER);
}

/* A run of text that a CR ends. */
static enum err read_text(struct http_body *b, char c, enum chunk_state behind)
{
    if (c == '\r')
        return go(b, behind);
    return ascii_is_control(c) ? ERR_SYNTAX : ERR_OK;
}

static enum err read_trailer_name(struct http_body *b, char c)
{
    if (c == ':' && b->state == CHUNK_TRAILER_NAME)
        return go(b, CHUNK_TRAILER_VALUE);
    return ascii_is_tchar(c) ? go(b, CHUNK_TRAILER_NAME) : ERR_SYNTAX;
}

/* One byte of framing. */
static enum err read_framing(struct http_body *b, char c)
{
    bool trailers = b->state >= CHUNK_TRAILER;
    if (++b->line_len > (trailers ? TRAILERS_MAX_BYTES : LINE_MAX_BYTES))
        return ERR_SYNTAX;
    switch ((enum chunk_state)b->state) {
    case CHUNK_SIZE:
        return read_size(b, c);
    case CHUNK_EXTENSION:
        return read_text(b, c, CHUNK_SIZE_LF);
    case CHUNK_SIZE_LF:
        return end_size(b, c);
    case CHUNK_DATA:
        break; /* content, not framing */
    case CHUNK_DATA_CR:
        return expect(b, c, '\r', CHUNK_DATA_LF);
    case CHUNK_DATA_LF:
        b->line_len = 0;
        return expect(b, c, '\n', CHUNK_SIZE);
    case CHUNK_TRAILER:
        return c == '\r' ? go(b, CHUNK_END_LF) : read_trailer_name(b, c);
    case CHUNK_TRAILER_NAME:
        return read_trailer_name(b, c);
    case CHUNK_TRAILER_VALUE:
        return read_text(b, c, CHUNK_TRAILER_LF);
    case CHUNK_TRAILER_LF:
        return expect(b, c, '\n', CHUNK_TRAILER);
    case CHUNK_END_LF:
        b->done = c == '\n';
        return b->done ? ERR_OK : ERR_SYNTAX;
    }
    assert(false);
    return ERR_SYNTAX;
}

/* A run of content, which counts down b->left. */
static void take_run(struct http_body *b, const char *data, size_t len, size_t *used,
                     struct span *part)
{
    size_t n = b->left < len - *used ? (size_t)b->left : len - *used;
    *part = span_of(data + *used, n);
    *used += n;
    b->left -= n;
}

static enum err read_chunks(struct http_body *b, const char *data, size_t len, size_t *used,
                            struct span *part)
{
    while (*used < len && !b->done) {
        if (b->state == CHUNK_DATA) {
            take_run(b, data, len, used, part);
            return b->left > 0 ? ERR_OK : go(b, CHUNK_DATA_CR);
        }
        enum err e = read_framing(b, data[(*used)++]);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

void http_body_start(struct http_body *b, enum http_body_kind kind, uint64_t length)
{
    *b = (struct http_body){.kind = kind};
    b->left = kind == HTTP_BODY_LENGTH ? length : 0;
    b->done = kind == HTTP_BODY_NONE || (kind == HTTP_BODY_LENGTH && length == 0);
}

enum err http_body_read(struct http_body *b, const char *data, size_t len, size_t *used,
                        struct span *part)
{
    *used = 0;
    *part = (struct span){.ptr = NULL};
    if (b->done || len == 0)
        return ERR_OK;
    switch (b->kind) {
    case HTTP_BODY_NONE:
        break;
    case HTTP_BODY_LENGTH:
        take_run(b, data, len, used, part);
        b->done = b->left == 0;
        break;
    case HTTP_BODY_CHUNKED:
        return read_chunks(b, data, len, used, part);
    case HTTP_BODY_UNTIL_CLOSE:
        *part = span_of(data, len);
        *used = len;
        break;
    }
    return ERR_OK;
}

size_t http_body_chunk_head(char out[HTTP_CHUNK_HEAD_MAX], size_t part_len)
{
    static const char hex[] = "0123456789abcdef";
    size_t digits = 1;
    for (size_t rest = part_len >> 4; rest > 0; rest >>= 4)
        digits++;
    for (size_t i = digits; i > 0; i--, part_len >>= 4)
        out[i - 1] = hex[part_len & 0xF];
    out[digits] = '\r';
    out[digits + 1] = '\n';
    return digits + 2;
}

void http_body_add_chunk(struct buf *out, struct span part)
{
    char head[HTTP_CHUNK_HEAD_MAX];
    buf_add(out, head, http_body_chunk_head(head, part.len));
    buf_add_span(out, part);
    BUF_ADD_LIT(out, "\r\n");
}
