#pragma once
/* Certificates made for one test, in a folder of its own, and a peer that speaks TLS by OpenSSL. */
#include "conn_rig.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "common/base/log.h"
#include "common/net/tls.h"

enum { PATH_LEN = 128 };

static char tls_dir[] = "/tmp/terrane-tls-XXXXXX\0";

/* A key and its certificate. */
struct identity {
    EVP_PKEY *key;
    X509 *cert;
    char cert_path[PATH_LEN], key_path[PATH_LEN];
};

static inline void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(cert, e, -1), 1);
    X509_EXTENSION_free(e);
}

static inline void identity_write(const struct identity *i)
{
    FILE *f = fopen(i->cert_path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, i->cert), 1);
    (void)fclose(f);
    f = fopen(i->key_path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, i->key, NULL, NULL, 0, NULL, NULL), 1);
    (void)fclose(f);
}

/* Signed by `issuer`, by itself when that is NULL (an authority); `san` as "DNS:a,IP:b". */
static inline struct identity identity_new(const char *name, const struct identity *issuer,
                                           const char *san, long from_s, long to_s)
{
    static long serial;
    struct identity i = {.key = EVP_EC_gen("P-256"), .cert = X509_new()};
    X509 *by = issuer == NULL ? i.cert : issuer->cert;
    assert_non_null(i.key);
    (void)snprintf(i.cert_path, PATH_LEN, "%s/%s.pem", tls_dir, name);
    (void)snprintf(i.key_path, PATH_LEN, "%s/%s.key", tls_dir, name);
    (void)X509_set_version(i.cert, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(i.cert), ++serial);
    (void)X509_gmtime_adj(X509_getm_notBefore(i.cert), from_s);
    (void)X509_gmtime_adj(X509_getm_notAfter(i.cert), to_s);
    (void)X509_set_pubkey(i.cert, i.key);
    (void)X509_NAME_add_entry_by_txt(X509_get_subject_name(i.cert), "CN", MBSTRING_ASC,
                                     (const unsigned char *)name, -1, -1, 0);
    (void)X509_set_issuer_name(i.cert, X509_get_subject_name(by));
    if (issuer == NULL)
        add_extension(i.cert, by, NID_basic_constraints, "critical,CA:TRUE");
    if (san != NULL)
        add_extension(i.cert, by, NID_subject_alt_name, san);
    assert_true(X509_sign(i.cert, issuer == NULL ? i.key : issuer->key, EVP_sha256()) > 0);
    identity_write(&i);
    return i;
}

static inline void identity_free(struct identity *i)
{
    (void)unlink(i->cert_path);
    (void)unlink(i->key_path);
    EVP_PKEY_free(i->key);
    X509_free(i->cert);
}

enum { DAY = 24 * 3600 };
static struct identity authority, stranger, server_id, client_id, expired_id;
static struct tls_context *server_tls, *client_tls;

static inline struct tls_context *context_of(bool server, const struct identity *id,
                                             const struct identity *ca)
{
    struct tls_files files = {.cert = id == NULL ? NULL : id->cert_path,
                              .key = id == NULL ? NULL : id->key_path,
                              .ca = ca == NULL ? NULL : ca->cert_path};
    struct buf why = {0};
    struct tls_context *t = NULL;
    enum err e = server ? tls_server_new(&t, &files, &why) : tls_client_new(&t, &files, &why);
    assert_int_equal(e, ERR_OK);
    assert_int_equal(why.len, 0);
    return t;
}

static inline int make_identities(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(tls_dir));
    authority = identity_new("authority", NULL, NULL, -DAY, 100L * DAY);
    stranger = identity_new("stranger", NULL, NULL, -DAY, 100L * DAY);
    server_id = identity_new("server", &authority, "DNS:terrane.test,DNS:*.wild.test,IP:127.0.0.1",
                             -DAY, 50L * DAY);
    client_id = identity_new("client", &authority, NULL, -DAY, 50L * DAY);
    expired_id = identity_new("expired", &authority, "DNS:terrane.test", -2L * DAY, -DAY);
    server_tls = context_of(true, &server_id, NULL);
    client_tls = context_of(false, NULL, &authority);
    return 0;
}

static inline int drop_identities(void **state)
{
    (void)state;
    tls_free(server_tls);
    tls_free(client_tls);
    struct identity *all[] = {&authority, &stranger, &server_id, &client_id, &expired_id};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        identity_free(all[i]);
    return rmdir(tls_dir);
}

/* ---- the peer */

struct raw {
    SSL_CTX *ctx;
    SSL *ssl;
    struct buf in;
    bool shook, ended, cut, failed;
    int reason; /* of a failure */
};
static struct raw raw;

/* On peer.fd; a client believes the authority. Change raw.ctx or raw.ssl before it is pumped. */
static inline void raw_start(bool server)
{
    (void)fcntl(peer.fd, F_SETFL, O_NONBLOCK);
    raw = (struct raw){.ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method())};
    if (!server)
        (void)SSL_CTX_load_verify_locations(raw.ctx, authority.cert_path, NULL);
    raw.ssl = SSL_new(raw.ctx);
    (void)SSL_set_fd(raw.ssl, peer.fd);
    if (server)
        SSL_set_accept_state(raw.ssl);
    else
        SSL_set_connect_state(raw.ssl);
}

/* A handshake's step, and what is here. */
static inline void raw_pump(void)
{
    static char bytes[65536];
    int n = 1;
    while (n > 0 && !raw.ended && !raw.failed) {
        ERR_clear_error();
        n = SSL_read(raw.ssl, bytes, sizeof bytes);
        raw.shook = raw.shook || SSL_is_init_finished(raw.ssl);
        if (n > 0)
            buf_add(&raw.in, bytes, (size_t)n);
    }
    int error = SSL_get_error(raw.ssl, n);
    if (n > 0 || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return;
    if (error == SSL_ERROR_ZERO_RETURN) {
        raw.ended = true;
    } else if (!raw.failed) {
        raw.failed = true;
        raw.reason = ERR_GET_REASON(ERR_peek_error());
        raw.cut = raw.reason == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    }
}

static inline bool raw_shook(void)
{
    raw_pump();
    return raw.shook;
}

static inline bool raw_is_over(void)
{
    raw_pump();
    return raw.ended || raw.failed;
}

static inline size_t raw_len(void)
{
    raw_pump();
    return raw.in.len;
}

static inline void raw_send(const char *text)
{
    assert_int_equal(SSL_write(raw.ssl, text, (int)strlen(text)), (int)strlen(text));
}

static inline void raw_stop(void)
{
    SSL_free(raw.ssl);
    SSL_CTX_free(raw.ctx);
    buf_clear(&raw.in);
    raw = (struct raw){0};
}

static inline int tear_down_raw(void **state)
{
    int rc = tear_down(state);
    raw_stop();
    return rc;
}
