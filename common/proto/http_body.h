#pragma once
/* HTTP/1.1 message bodies (RFC 9112 sections 6 and 7), sans I/O. */
#include "common/base/buf.h"

enum http_body_kind { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_CLOSE };

/* Set by http_body_start. */
struct http_body {
    enum http_body_kind kind;
    uint8_t state; /* of the chunk reader */
    bool done;
    uint16_t line_len; /* bytes of the present chunk line, or of all trailers so far */
    uint64_t left;     /* bytes of the body or of the present chunk */
};

/* `length` counts for HTTP_BODY_LENGTH only. A body without a byte is done at once. */
void http_body_start(struct http_body *b, enum http_body_kind kind, uint64_t length);
/* Takes bytes of the message: at most one part of the content comes out, borrowed from `data`
 * (empty when only framing was read). `*used` may be less than len: call again with the rest until
 * b->done or the input is used up. Bytes behind the end are never taken; UNTIL_CLOSE is never done,
 * the end of the connection ends it. Trailers are dropped. ERR_SYNTAX: bad chunk (size, line
 * over 256 bytes, CRLF, trailers over 8 KiB or not fields); the body cannot be read on after it. */
MUST_CHECK enum err http_body_read(struct http_body *b, const char *data, size_t len, size_t *used,
                                   struct span *part);
/* A part as a chunk is its head, the part and CRLF; an empty part ends the body. Answers the head's
 * length; no NUL behind it. */
enum { HTTP_CHUNK_HEAD_MAX = 18 };
size_t http_body_chunk_head(char out[HTTP_CHUNK_HEAD_MAX], size_t part_len);
/* Frames one part as a chunk. */
void http_body_add_chunk(struct buf *out, struct span part);
