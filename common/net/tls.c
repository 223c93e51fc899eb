/* One connection's TLS. OpenSSL never sees the socket: what came is read into the context's buffer
 * and handed to it, what it makes for the peer is gathered and sent in one go. What the kernel does
 * not take of that is held here, and counts as given to the kernel (conn.held). */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/conn_turn.h"
#include "common/net/tls_inside.h"

struct tls {
    SSL *ssl;
    struct tls_context *of;
    struct buf held;  /* for the peer; conn.held bytes of it, the last ones, are still to be sent */
    bool broken;      /* it failed, and that was told: say nothing more */
    uint16_t port;    /* of the peer, */
    struct addr peer; /* whom the kernel forgets when it breaks off; all zero: not known */
};

/* ---- OpenSSL's side */

static int bio_read(BIO *bio, char *out, size_t len, size_t *n)
{
    struct tls_context *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *n = len < t->in_len ? len : t->in_len;
    if (*n == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(out, t->in + t->in_at, *n);
    t->in_at += *n;
    t->in_len -= *n;
    return 1;
}

static int bio_write(BIO *bio, const char *data, size_t len, size_t *n)
{
    struct tls_context *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    buf_add(&t->out, data, len);
    *n = len;
    return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *ptr)
{
    (void)bio, (void)number, (void)ptr;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *tls_bio_new(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "terrane");
    if (m == NULL)
        abort(); /* out of memory */
    (void)BIO_meth_set_read_ex(m, bio_read);
    (void)BIO_meth_set_write_ex(m, bio_write);
    (void)BIO_meth_set_ctrl(m, bio_ctrl);
    return m;
}

/* ---- what goes wrong */

static void log_failure(const struct conn *c, const char *why)
{
    const struct tls_context *t = c->tls->of;
    char peer[ADDR_TEXT_MAX];
    addr_format(&c->tls->peer, peer);
    const char *host = t->server ? NULL : SSL_get0_peername(c->tls->ssl);
    if (host == NULL && !t->server)
        host = SSL_get_servername(c->tls->ssl, TLSEXT_NAMETYPE_host_name);
    if (t->server)
        log_info("tls.failed", "side=server file=%s peer=%s why=%s", t->files.cert, peer, why);
    else
        log_warn("tls.failed", "side=client file=%s peer=%s port=%u host=%s why=%s", t->files.ca,
                 peer, (unsigned)c->tls->port, host == NULL ? "" : host, why);
}

/* One line, counted once. */
static void failed(struct conn *c, const char *why)
{
    struct tls *t = c->tls;
    if (t->broken)
        return;
    t->broken = true;
    t->of->stats.failures++;
    c->fault = why;
    log_failure(c, why);
}

/* Who speaks HTTP here hears it in HTTP. */
static void answer_plain_http(const struct conn *c)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                                 "Content-Type: application/json\r\nContent-Length: 49\r\n\r\n"
                                 "{\"error\":\"This address speaks TLS: use https://\"}";
    (void)send(c->fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
}

static void failed_in_ssl(struct conn *c)
{
    unsigned long code = ERR_peek_last_error();
    long verdict = SSL_get_verify_result(c->tls->ssl);
    const char *why = ERR_reason_error_string(code);
    if (ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST && c->tls->of->server)
        answer_plain_http(c);
    if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK)
        why = X509_verify_cert_error_string(verdict);
    failed(c, why == NULL ? "protocol error" : why);
    ERR_clear_error();
}

/* ---- to the kernel */

/* Sends what is held; false when the socket has failed. */
static bool send_held(struct conn *c)
{
    struct buf *held = &c->tls->held;
    if (c->held == 0)
        return true;
    ssize_t n = send(c->fd, held->data + (held->len - c->held), c->held, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    c->held -= (uint32_t)n;
    if (c->held == 0)
        buf_clear(held);
    return true;
}

/* Sends what OpenSSL has just made, behind what is held; false when the socket has failed. */
static bool send_out(struct conn *c)
{
    struct buf *out = &c->tls->of->out, *held = &c->tls->held;
    size_t done = 0;
    bool well = true;
    if (c->held == 0 && out->len > 0) {
        ssize_t n = send(c->fd, out->data, out->len, MSG_NOSIGNAL);
        well = n >= 0 || errno == EAGAIN || errno == EINTR;
        done = n > 0 ? (size_t)n : 0;
    }
    buf_add(held, out->data + done, out->len - done);
    c->held += (uint32_t)(out->len - done);
    buf_reset(out);
    if (c->held > TLS_HELD_MAX) {
        failed(c, "takes nothing and makes us answer");
        errno = EPROTO;
        return false;
    }
    if (c->held > 0) {
        c->blocked = true;
        conn_schedule(c);
    }
    return well;
}

/* ---- the transport */

/* What recv brought, or nothing, goes through OpenSSL. Answers how much plain text came of it. */
static size_t decipher(struct conn *c, char *out, size_t len, int *error)
{
    struct tls *t = c->tls;
    size_t total = 0, n;
    ERR_clear_error();
    while (SSL_read_ex(t->ssl, out + total, len - total, &n) == 1) {
        total += n;
        assert(total < len); /* TLS_READ_BYTES */
        if (t->of->in_len == 0 && SSL_pending(t->ssl) == 0) {
            *error = SSL_ERROR_WANT_READ; /* without a buffer made to find that out */
            return total;
        }
    }
    *error = SSL_get_error(t->ssl, 0);
    t->of->in_len = 0;
    return total;
}

static void note_handshake(struct conn *c)
{
    struct tls_stats *stats = &c->tls->of->stats;
    if (!c->shaking || !SSL_is_init_finished(c->tls->ssl))
        return;
    c->shaking = false;
    stats->handshakes++;
    stats->resumed += SSL_session_reused(c->tls->ssl) == 1;
    conn_schedule(c); /* what waited for it */
}

/* The peer ended without saying so: what it sent may not be all. */
static ssize_t cut_off(struct conn *c, const char *in_handshake)
{
    if (c->shaking)
        failed(c, in_handshake);
    errno = ECONNRESET;
    return -1;
}

static ssize_t tls_read(struct conn *c, void *out, size_t len)
{
    struct tls_context *t = c->tls->of;
    int error;
    if (c->tls->broken || !send_held(c)) {
        errno = c->tls->broken ? EPROTO : errno;
        return -1;
    }
    ssize_t got = recv(c->fd, t->in, TLS_READ_BYTES, 0);
    if (got == 0)
        return cut_off(c, "ended in the handshake");
    if (got < 0 && errno == ECONNRESET)
        return cut_off(c, "reset in the handshake");
    if (got < 0 && (errno != EAGAIN || !c->shaking)) /* a client begins its handshake in here */
        return -1;
    if (got == TLS_READ_BYTES)
        conn_hear_again(c);
    t->in_at = 0;
    t->in_len = got > 0 ? (size_t)got : 0;
    size_t n = decipher(c, out, len, &error);
    note_handshake(c);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_ZERO_RETURN)
        failed_in_ssl(c);
    if (!send_out(c) && n == 0)
        return -1;
    if (n > 0) {
        c->peer_ended = error == SSL_ERROR_ZERO_RETURN;
        c->failed = c->tls->broken;
        conn_schedule(c);
        return (ssize_t)n;
    }
    errno = c->tls->broken ? EPROTO : EAGAIN;
    return error == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

/* Takes bytes off the head of iov: a record's worth from where they lie, or small pieces together.
 */
static struct span next_record(struct tls_context *t, const struct iovec **iov, int *n, size_t *at)
{
    size_t len = 0;
    if (*n > 0 && ((*iov)->iov_len - *at >= TLS_RECORD || *n == 1)) {
        char *from = (char *)(*iov)->iov_base + *at;
        len = (*iov)->iov_len - *at < TLS_RECORD ? (*iov)->iov_len - *at : TLS_RECORD;
        *at += len;
        if (*at == (*iov)->iov_len)
            (*iov)++, (*n)--, *at = 0;
        return span_of(from, len);
    }
    while (*n > 0 && len < TLS_RECORD) {
        size_t left = (*iov)->iov_len - *at;
        size_t part = left < TLS_RECORD - len ? left : TLS_RECORD - len;
        memcpy(t->plain + len, (char *)(*iov)->iov_base + *at, part);
        len += part;
        *at += part;
        if (*at == (*iov)->iov_len)
            (*iov)++, (*n)--, *at = 0;
    }
    return span_of(t->plain, len);
}

static ssize_t tls_writev(struct conn *c, const struct iovec *iov, int n)
{
    struct tls *t = c->tls;
    size_t taken = 0, at = 0, done;
    if (t->broken || !send_held(c)) {
        errno = t->broken ? EPROTO : errno;
        return -1;
    }
    if (c->held > 0) {
        errno = EAGAIN;
        return -1;
    }
    ERR_clear_error();
    while (n > 0 && taken < TLS_WRITE_BYTES) {
        struct span record = next_record(t->of, &iov, &n, &at);
        if (SSL_write_ex(t->ssl, record.ptr, record.len, &done) != 1) {
            failed_in_ssl(c);
            buf_reset(&t->of->out);
            errno = EPROTO;
            return -1;
        }
        assert(done == record.len); /* bio_write takes all */
        taken += record.len;
    }
    return send_out(c) ? (ssize_t)taken : -1;
}

static bool tls_finish(struct conn *c)
{
    struct tls *t = c->tls;
    if (c->shaking || t->broken)
        return true;
    bool told = (SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN) != 0;
    if (!told) {
        ERR_clear_error();
        (void)SSL_shutdown(t->ssl);
    }
    if (told ? !send_held(c) : !send_out(c))
        return true; /* nobody is there to hear it */
    return c->held == 0;
}

static void tls_shutdown(struct conn *c)
{
    (void)shutdown(c->fd, SHUT_WR);
}

static void tls_clear(struct conn *c)
{
    SSL_free(c->tls->ssl);
    buf_clear(&c->tls->held);
    free(c->tls);
    c->tls = NULL;
    c->held = 0;
}

static const struct transport transport_tls = {
    .read = tls_read,
    .writev = tls_writev,
    .finish = tls_finish,
    .shutdown = tls_shutdown,
    .clear = tls_clear,
};

/* ---- */

static void tls_start(struct conn *c, struct tls_context *t)
{
    struct tls *session = xcalloc(1, sizeof *session);
    BIO *bio = BIO_new(t->bio);
    session->ssl = SSL_new(t->ssl);
    session->of = t;
    if (bio == NULL || session->ssl == NULL)
        abort(); /* out of memory */
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(session->ssl, bio, bio);
    c->tls = session;
    c->transport = &transport_tls;
    c->shaking = true;
}

void tls_accept(struct conn *c, struct tls_context *t)
{
    tls_start(c, t);
    (void)conn_peer(c, &c->tls->peer, &c->tls->port);
    SSL_set_accept_state(c->tls->ssl);
}

/* Whose certificate it must be; names of the DNS are also told (SNI, RFC 6066 section 3). */
static void expect_host(SSL *ssl, const char *host)
{
    struct in6_addr address;
    char *name = xstrdup(host);
    size_t len = strlen(name);
    int good;
    if (len > 1 && name[len - 1] == '.')
        name[len - 1] = '\0';
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1)
        good = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
    else
        good = SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
    free(name);
    if (good != 1)
        abort(); /* out of memory */
}

void tls_connect(struct conn *c, struct tls_context *t, const char *host, const struct addr *to,
                 uint16_t port)
{
    if (!conn_has_socket(c))
        return; /* the dial has failed */
    tls_context_trust(t);
    tls_start(c, t);
    c->tls->peer = *to;
    c->tls->port = port;
    expect_host(c->tls->ssl, host);
    SSL_set_connect_state(c->tls->ssl);
}
