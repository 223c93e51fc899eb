/* Signs what it is given; whether the claims open anything is the reader's to say. */
#include "common/proto/token_sign.h"

#include <limits.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "common/base/base64url.h"
#include "common/proto/mac.h"

enum { P256_LEN = 32, SIGNATURE_MAX = 2048 }; /* an RSA key of 16 384 bits */

static const struct {
    struct span header;
    int pkey;
} kinds[] = {
    [TOKEN_HS256] = {SPAN_INIT("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), EVP_PKEY_NONE},
    [TOKEN_RS256] = {SPAN_INIT("{\"alg\":\"RS256\",\"typ\":\"JWT\"}"), EVP_PKEY_RSA},
    [TOKEN_ES256] = {SPAN_INIT("{\"alg\":\"ES256\",\"typ\":\"JWT\"}"), EVP_PKEY_EC},
};

static bool is_object(struct span text)
{
    json_t *value = json_decode(text);
    bool object = json_is_object(value);
    json_decref(value);
    return object;
}

static void sign_secret(struct buf *out, struct span secret, struct span text)
{
    uint8_t mac[MAC_LEN];
    struct mac *m = mac_begin(secret, SPAN(""));
    mac_add(m, text);
    mac_end(m, mac);
    base64url_add(out, span_of(mac, sizeof mac));
}

/* Nobody is asked for the password of a key. */
static int no_password(char *out, int size, int writing, void *ctx)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static bool on_p256(EVP_PKEY *key)
{
    char curve[32];
    return EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) == 1 &&
           span_eq(span_str(curve), SPAN("prime256v1"));
}

/* NULL: no private key of the kind. The caller frees it. */
static EVP_PKEY *private_key(enum token_alg alg, struct span pem)
{
    BIO *bio = pem.len > INT_MAX ? NULL : BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    if (key != NULL && EVP_PKEY_get_base_id(key) == kinds[alg].pkey &&
        (alg != TOKEN_ES256 || on_p256(key)))
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

/* JWS writes the two numbers one behind the other (RFC 7518 section 3.4), OpenSSL as DER. */
static bool add_numbers(struct buf *out, const unsigned char *der, size_t len)
{
    unsigned char raw[2 * P256_LEN];
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool fits = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, P256_LEN) == P256_LEN &&
                BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + P256_LEN, P256_LEN) == P256_LEN;
    ECDSA_SIG_free(sig);
    if (fits)
        base64url_add(out, span_of(raw, sizeof raw));
    return fits;
}

static bool sign_key(struct buf *out, enum token_alg alg, struct span pem, struct span text)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t len = sizeof signature;
    EVP_PKEY *key = private_key(alg, pem);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good =
        key != NULL && ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestSign(ctx, signature, &len, (const unsigned char *)text.ptr, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    ERR_clear_error(); /* what is left in the thread's queue would confuse TLS connections */
    if (good && alg == TOKEN_ES256)
        return add_numbers(out, signature, len);
    if (good)
        base64url_add(out, span_of(signature, len));
    return good;
}

enum err token_sign(struct buf *out, enum token_alg alg, struct span key, struct span claims)
{
    struct buf text = {0}, signature = {0};
    bool good = key.len > 0 && is_object(claims);
    base64url_add(&text, kinds[alg].header);
    buf_add_char(&text, '.');
    base64url_add(&text, claims);
    if (good && alg == TOKEN_HS256)
        sign_secret(&signature, key, buf_span(&text));
    else if (good)
        good = sign_key(&signature, alg, key, buf_span(&text));
    if (good) {
        buf_add_span(out, buf_span(&text));
        buf_add_char(out, '.');
        buf_add_span(out, buf_span(&signature));
    }
    buf_clear(&signature);
    buf_clear(&text);
    return good ? ERR_OK : ERR_SYNTAX;
}
