#pragma once
/* HTTP/1.1 message heads (RFC 9112), sans I/O: http-parser reads them, this file adds the strict
 * rules of docs/protocol.md (limits, framing). Both requests and responses. */
#include <stdbool.h>

#include "common/base/buf.h"

enum { HTTP_HEADERS_MAX = 100, HTTP_HEAD_MAX = 16 * 1024 };

struct http_header {
    struct span name;  /* as sent; compare with span_ieq */
    struct span value; /* without blanks around it */
};

/* All spans point into the bytes that were parsed. */
struct http_head {
    struct span method;     /* requests */
    struct span target;     /* requests: as sent, path and query */
    int status;             /* responses */
    int minor;              /* HTTP/1.minor */
    int64_t content_length; /* -1: none */
    bool chunked;
    bool keep_alive;      /* what the peer wants or implies */
    bool upgrade;         /* Connection has the token `upgrade` and there is an Upgrade header */
    bool expect_continue; /* Expect: 100-continue */
    size_t header_count;
    struct http_header headers[HTTP_HEADERS_MAX];
};

/* Looks for the end of a head in data[0, len). `*scanned` remembers how far earlier calls came
 * (0 at first). ERR_OK: *head_len is its length with the blank line; ERR_AGAIN: not there yet;
 * ERR_LIMIT: longer than HTTP_HEAD_MAX. Empty lines before a request line are part of it. */
MUST_CHECK enum err http_head_find(const char *data, size_t len, size_t *scanned, size_t *head_len);

/* Parses a whole head, as http_head_find measured it. ERR_SYNTAX: 400 (bad line, unknown method,
 * obs-fold, bare LF, blank before a colon, Content-Length twice (even equal), with
 * Transfer-Encoding or not a number, a transfer coding that is not one `chunked`, any in HTTP/1.0,
 * no Host in HTTP/1.1, two or one that no URL could hold, CONNECT, control characters in the target
 * or a value, …); ERR_LIMIT: 431 (more than HTTP_HEADERS_MAX headers, over HTTP_HEAD_MAX bytes).
 * HTTP/1.0 is accepted, 0.9 and 2 are not. The authority of a target in absolute form stands in the
 * place of Host's value (RFC 9112 section 3.2.2). */
MUST_CHECK enum err http_head_parse_request(struct http_head *h, const char *data, size_t len);
/* The same for an answer. ERR_SYNTAX: none we can trust; the rules of framing are those of a
 * request. 1xx is parsed like any other; whether a body follows is for the caller to say. */
MUST_CHECK enum err http_head_parse_response(struct http_head *h, const char *data, size_t len);

/* The first header of that name, or {NULL, 0}; an empty value has a non-NULL ptr. */
struct span http_head_get(const struct http_head *h, struct span name);
/* How often the header occurs. */
size_t http_head_count(const struct http_head *h, struct span name);
/* True when a comma-separated header, over all its occurrences, has the token (any case). */
bool http_head_has_token(const struct http_head *h, struct span name, struct span token);
/* Moves all spans from old bytes to a copy of them at `data`. */
void http_head_rebase(struct http_head *h, const char *from, const char *data);
/* True for headers that belong to one hop (RFC 9110 section 7.6.1): Connection and what it names,
 * Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding, Upgrade. */
bool http_head_is_hop(const struct http_head *h, struct span name);
/* The reason phrase of a status, never NULL. */
const char *http_reason(int status);
