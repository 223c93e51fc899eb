/* Contexts: files, what is accepted, and reading the files again. Connections are tls.c's. */
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/tls_inside.h"

enum { EXPIRES_SOON_DAYS = 14, DAY_S = 24 * 60 * 60 };

/* Of TLS 1.2; those of 1.3 are all good. */
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
static const unsigned char http11[] = "\x08http/1.1"; /* as ALPN writes it: RFC 7301 section 3.1 */

static bool is_named(const char *path)
{
    return *path != '\0';
}

static char *copy_path(const char *path)
{
    return xstrdup(path == NULL ? "" : path);
}

static void free_path(const char *path)
{
    free((void *)(uintptr_t)path);
}

/* What OpenSSL says of a file that is no PEM, or holds something else. */
static bool holds_nothing(unsigned long code)
{
    int lib = ERR_GET_LIB(code);
    return lib == ERR_LIB_OSSL_DECODER ||
           (lib == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE);
}

/* "PATH: what OpenSSL has against it". `thing`: what was looked for. */
static enum err fault(struct buf *why, const char *path, const char *thing)
{
    unsigned long code = ERR_peek_error();
    const char *text = ERR_reason_error_string(code);
    if (ERR_GET_LIB(code) == ERR_LIB_SYS || ERR_SYSTEM_ERROR(code))
        text = strerror(ERR_GET_REASON(code));
    buf_addf(why, "%s: %s", path, text == NULL ? "cannot be used" : text);
    if (holds_nothing(code))
        buf_addf(why, " (no %s in PEM is in it)", thing);
    ERR_clear_error();
    return ERR_MISSING;
}

/* A key with a pass phrase is refused: nobody is there to type it. */
static int no_pass_phrase(char *out, int size, int writing, void *ctx)
{
    (void)out, (void)size, (void)writing, (void)ctx;
    return -1;
}

/* A client that knows no HTTP/1.1 had better hear it now (RFC 7301 section 3.2). */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned in_len, void *ctx)
{
    unsigned char *chosen;
    (void)ssl, (void)ctx;
    if (SSL_select_next_proto(&chosen, out_len, http11, sizeof http11 - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static enum err read_certificate(SSL_CTX *ssl, const struct tls_files *files, struct buf *why)
{
    if (SSL_CTX_use_certificate_chain_file(ssl, files->cert) != 1)
        return fault(why, files->cert, "certificate");
    if (!is_named(files->key)) {
        buf_addf(why, "%s: its key is not named", files->cert);
        return ERR_MISSING;
    }
    if (SSL_CTX_use_PrivateKey_file(ssl, files->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ssl) != 1)
        return fault(why, files->key, "key");
    return ERR_OK;
}

static enum err read_authorities(SSL_CTX *ssl, const struct tls_files *files, bool server,
                                 struct buf *why)
{
    STACK_OF(X509_NAME) * names;
    if (SSL_CTX_load_verify_locations(ssl, files->ca, NULL) != 1)
        return fault(why, files->ca, "certificate");
    if (!server)
        return ERR_OK;
    names = SSL_load_client_CA_file(files->ca);
    if (names == NULL)
        return fault(why, files->ca, "certificate");
    SSL_CTX_set_client_CA_list(ssl, names);
    return ERR_OK;
}

static void set_rules(SSL_CTX *ssl, bool server, bool asks)
{
    static const unsigned char id[] = "terrane"; /* of sessions that can be resumed */
    bool good = SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 &&
                SSL_CTX_set_cipher_list(ssl, ciphers) == 1;
    (void)SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    (void)SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(ssl, no_pass_phrase);
    if (server) {
        good = good && SSL_CTX_set_session_id_context(ssl, id, sizeof id - 1) == 1 &&
               SSL_CTX_set_num_tickets(ssl, 1) == 1;
        SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
        SSL_CTX_set_verify(
            ssl, asks ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE, NULL);
    } else {
        (void)SSL_CTX_set_alpn_protos(ssl, http11, sizeof http11 - 1);
        SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    }
    if (!good)
        abort(); /* not this library */
}

/* Wall seconds; 0: no certificate. */
static int64_t expiry_of(const SSL_CTX *ssl)
{
    const X509 *cert = SSL_CTX_get0_certificate(ssl);
    struct tm tm;
    if (cert == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
        return 0;
    return (int64_t)timegm(&tm);
}

static void warn_of_expiry(const struct tls_context *t)
{
    int64_t left_s = t->expires_s - clock_wall_ms() / 1000;
    if (t->expires_s == 0 || left_s > EXPIRES_SOON_DAYS * (int64_t)DAY_S)
        return;
    log_warn("tls.expires", "file=%s days=%" PRId64, t->files.cert, left_s / DAY_S);
}

static enum err context_read(struct tls_context *t, struct buf *why)
{
    const struct tls_files *files = &t->files;
    SSL_CTX *ssl = SSL_CTX_new(t->server ? TLS_server_method() : TLS_client_method());
    if (ssl == NULL)
        abort(); /* out of memory */
    ERR_clear_error();
    set_rules(ssl, t->server, is_named(files->ca));
    enum err e = ERR_OK;
    if (t->server || is_named(files->cert))
        e = read_certificate(ssl, files, why);
    if (e == ERR_OK && is_named(files->ca))
        e = read_authorities(ssl, files, t->server, why);
    if (e != ERR_OK) {
        SSL_CTX_free(ssl);
        return e;
    }
    if (t->gullible)
        SSL_CTX_set_verify(ssl, SSL_VERIFY_NONE, NULL);
    SSL_CTX_free(t->ssl);
    t->ssl = ssl;
    t->unread = !t->server && !is_named(files->ca) && !t->gullible;
    t->expires_s = expiry_of(ssl);
    warn_of_expiry(t);
    return ERR_OK;
}

void tls_context_trust(struct tls_context *t)
{
    if (!t->unread)
        return;
    t->unread = false;
    if (SSL_CTX_set_default_verify_paths(t->ssl) != 1)
        log_error("tls.authorities", "wrong=the system's cannot be read");
    ERR_clear_error();
}

enum kind { SERVER, CLIENT, PROBE };

static enum err context_new(struct tls_context **out, const struct tls_files *files, enum kind kind,
                            struct buf *why)
{
    struct tls_context *t = xcalloc(1, sizeof *t);
    *t = (struct tls_context){
        .files = {.cert = copy_path(files->cert),
                  .key = copy_path(files->key),
                  .ca = copy_path(kind == PROBE ? NULL : files->ca)},
        .server = kind == SERVER,
        .gullible = kind == PROBE,
        .bio = tls_bio_new(),
    };
    enum err e = context_read(t, why);
    if (e != ERR_OK) {
        tls_free(t);
        return e;
    }
    t->in = xmalloc(TLS_READ_BYTES);
    t->plain = xmalloc(TLS_RECORD);
    *out = t;
    return ERR_OK;
}

enum err tls_server_new(struct tls_context **out, const struct tls_files *files, struct buf *why)
{
    return context_new(out, files, SERVER, why);
}

enum err tls_client_new(struct tls_context **out, const struct tls_files *files, struct buf *why)
{
    return context_new(out, files, CLIENT, why);
}

enum err tls_probe_new(struct tls_context **out, const struct tls_files *files, struct buf *why)
{
    return context_new(out, files, PROBE, why);
}

enum err tls_reload(struct tls_context *t, struct buf *why)
{
    enum err e = context_read(t, why);
    if (e != ERR_OK)
        t->stats.reloads_failed++;
    return e;
}

int64_t tls_expires_s(const struct tls_context *t)
{
    return t->expires_s;
}

const struct tls_stats *tls_stats(const struct tls_context *t)
{
    return &t->stats;
}

void tls_free(struct tls_context *t)
{
    if (t == NULL)
        return;
    SSL_CTX_free(t->ssl);
    BIO_meth_free(t->bio);
    free_path(t->files.cert);
    free_path(t->files.key);
    free_path(t->files.ca);
    free(t->in);
    free(t->plain);
    buf_clear(&t->out);
    free(t);
}
