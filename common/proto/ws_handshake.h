#pragma once
/* The opening handshake (RFC 6455 section 4), sans I/O. SHA-1 and base64 come from OpenSSL. */
#include "common/base/rng.h"
#include "common/proto/http_head.h"

enum { WS_KEY_LEN = 24, WS_ACCEPT_LEN = 28, WS_PROTOCOLS_MAX = 64 };

/* What is wrong with an upgrade request; NULL: nothing, *key is its Sec-WebSocket-Key (borrowed
 * from the head). More than WS_PROTOCOLS_MAX subprotocols are wrong, too. All of it wants a 400;
 * WS_HANDSHAKE_BAD_VERSION, which is compared by its address, one with the header line
 * WS_HANDSHAKE_VERSIONS. */
const char *ws_handshake_check(const struct http_head *h, struct span *key);
extern const char WS_HANDSHAKE_BAD_VERSION[];
#define WS_HANDSHAKE_VERSIONS "Sec-WebSocket-Version: 13, 8\r\n"
/* Sec-WebSocket-Accept for a key; no NUL behind it. */
void ws_handshake_accept(char out[WS_ACCEPT_LEN], struct span key);
/* Walks over the subprotocols offered, of all lines of the header; empty elements of a list are
 * none (section 4.3, RFC 9110 section 5.6.1). Begins as {.head = h}. False: behind the last. */
struct ws_protocols {
    const struct http_head *head;
    size_t line; /* the next header to look at */
    struct span rest;
};
bool ws_protocols_next(struct ws_protocols *p, struct span *out);
/* The first subprotocol offered (that is what the reference accepts); {NULL, 0}: none. */
struct span ws_handshake_protocol(const struct http_head *h);
/* The whole 101 answer; `protocol` may be {NULL, 0}, and so may `extensions`. */
void ws_handshake_answer(struct buf *out, struct span key, struct span protocol,
                         struct span extensions);

/* Client side: a new random key; then the request head: `headers` are whole lines with CRLF. */
void ws_handshake_key(char out[WS_KEY_LEN]);
void ws_handshake_request(struct buf *out, struct span host, struct span target, struct span key,
                          struct span headers);
/* True when the head is a 101 that answers `key` and brings no extension: none was offered. */
bool ws_handshake_answered(const struct http_head *h, struct span key);
