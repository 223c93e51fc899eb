#pragma once
/* TLS (RFC 8446, RFC 5246) as a transport of conn, by OpenSSL. A context is what certificate, key
 * and authorities of some files make; a connection is given to one right after it was opened or
 * dialled. TLS 1.2 and 1.3 with forward secrecy and AEAD, ALPN http/1.1, no compression, no
 * renegotiation. An idle connection owns no buffers. docs/tls.md tells users. */
#include "common/base/buf.h"
#include "common/net/conn.h"

struct tls_context;

/* Paths of PEM files. */
struct tls_files {
    const char *cert; /* with the certificates behind it up to the root; NULL or "": none */
    const char *key;  /* not encrypted */
    const char *ca;   /* NULL or "": a client believes the system's, a server asks nobody */
};

/* Since the context was made; a server's of its clients, a client's of its dials. */
struct tls_stats {
    uint64_t handshakes, resumed; /* of them resumed by a ticket */
    uint64_t failures;            /* handshakes that failed, and connections broken later */
    uint64_t reloads_failed;
};

/* `cert` and `key` are needed; with `ca` a client must show a certificate of it. ERR_MISSING: a
 * file is missing or not what it should be, or certificate and key do not belong together; `why`
 * (appended to) names the file and the fault. */
MUST_CHECK enum err tls_server_new(struct tls_context **out, const struct tls_files *files,
                                   struct buf *why);
/* The peer's certificate must be of `ca`, or of the system's; with `cert` it is shown to peers that
 * ask for one. Errors as tls_server_new. */
MUST_CHECK enum err tls_client_new(struct tls_context **out, const struct tls_files *files,
                                   struct buf *why);
/* A client that believes whoever answers: only for --health (health.h). `ca` is not read. Errors as
 * tls_server_new. */
MUST_CHECK enum err tls_probe_new(struct tls_context **out, const struct tls_files *files,
                                  struct buf *why);
/* Reads the files again: connections from now on have what they hold now, the others stay as they
 * are. On an error all stays as it was. Errors as tls_server_new. */
MUST_CHECK enum err tls_reload(struct tls_context *t, struct buf *why);
/* Wall seconds at which its certificate expires; 0: it has none. */
int64_t tls_expires_s(const struct tls_context *t);
const struct tls_stats *tls_stats(const struct tls_context *t);
/* No connection of it may be left. NULL is allowed. */
void tls_free(struct tls_context *t);

/* The connection speaks TLS as the server; to be called right behind conn_open. Data comes, and
 * what is written goes, after the handshake. `t` is borrowed for the connection's life. */
void tls_accept(struct conn *c, struct tls_context *t);
/* The same as the client, right behind conn_dial: ops->connected follows after a handshake that
 * proved the peer to be `host`, a name or an address; `to` and `port` were dialled, for the log. A
 * failed one is CONN_END_ERROR, and conn_fault says why. */
void tls_connect(struct conn *c, struct tls_context *t, const char *host, const struct addr *to,
                 uint16_t port);
