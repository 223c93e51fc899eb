#pragma once
/* Inside of TLS: what contexts and connections share. tls_context.c reads files, tls.c moves bytes.
 * One thread: the buffers are used by one connection at a time, and empty between its calls. */
#include <openssl/ssl.h>

#include "common/net/tls.h"

enum {
    TLS_RECORD = 16 * 1024,
    /* What is read at once fits, deciphered, into the loop's buffer with what the record before it
     * still had. So nothing that could be delivered stays in OpenSSL, and input is edge-triggered
     * as on plain sockets. */
    TLS_READ_BYTES = LOOP_READ_BYTES - 2 * TLS_RECORD,
    TLS_WRITE_BYTES = 4 * TLS_RECORD, /* of plain text, in one go */
    /* What one go of writing leaves here fits; beyond it the peer has us answer (refused
     * renegotiations), and reads nothing. */
    TLS_HELD_MAX = 4 * TLS_WRITE_BYTES,
};

struct tls_context {
    SSL_CTX *ssl; /* replaced by a reload; connections hold the one that they began with */
    struct tls_files files; /* owned; no path is NULL */
    bool server;
    bool gullible; /* a client that believes whoever answers */
    bool unread; /* a client of the system's authorities, which are read at its first dial: they are
                    many, and most processes never need them */
    int64_t expires_s;
    struct tls_stats stats;
    BIO_METHOD *bio;
    char *in; /* TLS_READ_BYTES: what came, of which OpenSSL has not taken in_len bytes at in_at */
    size_t in_at, in_len;
    char *plain;    /* TLS_RECORD: small pieces that become one record */
    struct buf out; /* what OpenSSL has made for the peer */
};

/* Of a client, before its next dial. */
void tls_context_trust(struct tls_context *t);

/* Reads from `in`, writes to `out` of the context that is its data. */
BIO_METHOD *tls_bio_new(void);
