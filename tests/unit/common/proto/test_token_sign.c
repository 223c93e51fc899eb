#include "common/proto/token_sign.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"

#define NOW    1700000000
#define CLAIMS "{\"worlds\":[\"*\"],\"exp\":1700000060,\"sub\":\"Zo\xc3\xab\"}"

/* A key pair in PEM; made anew in each run. */
struct pair {
    char *private, *public, *locked;
};

static char *bio_text(BIO *bio)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    char *text = xspandup(span_of(data, (size_t)len));
    BIO_free(bio);
    return text;
}

static struct pair pair_of(EVP_PKEY *key)
{
    struct pair p;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_non_null(key);
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    p.private = bio_text(bio);
    bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
    p.public = bio_text(bio);
    bio = BIO_new(BIO_s_mem());
    char password[] = "x";
    assert_int_equal(
        PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), password, 1, NULL, NULL), 1);
    p.locked = bio_text(bio);
    EVP_PKEY_free(key);
    return p;
}

static void pair_clear(struct pair *p)
{
    free(p->private);
    free(p->public);
    free(p->locked);
}

static enum err sign(enum token_alg alg, const char *key, const char *claims)
{
    struct buf token = {0};
    enum err err = token_sign(&token, alg, span_str(key), span_str(claims));
    assert_int_equal(token.len > 0, err == ERR_OK);
    buf_clear(&token);
    return err;
}

/* What is signed with `private` is read with `public`, and not when a byte of it is another. */
static void goes_round(enum token_alg alg, const char *private, const char *public)
{
    struct token_keys *keys = NULL;
    struct buf token = {0};
    struct token read;
    struct span sub;

    assert_int_equal(token_keys_new(&keys, alg, span_str(public)), ERR_OK);
    assert_int_equal(token_sign(&token, alg, span_str(private), SPAN(CLAIMS)), ERR_OK);
    assert_int_equal(token_open(keys, buf_span(&token), NOW, &read), ERR_OK);
    assert_true(token_covers(&read, SPAN("world-a")));
    assert_true(token_subject(&read, &sub));
    assert_true(span_eq(sub, SPAN("Zo\xc3\xab")));
    token_close(&read);
    char *last = &token.data[token.len - 4];
    *last = *last == 'A' ? 'B' : 'A';
    assert_int_equal(token_open(keys, buf_span(&token), NOW, &read), ERR_DENIED);
    buf_clear(&token);
    token_keys_free(keys);
}

static void a_secret_signs_what_it_reads(void **state)
{
    (void)state;
    goes_round(TOKEN_HS256, "a secret of some length", "another, a secret of some length");
    assert_int_equal(sign(TOKEN_HS256, "", CLAIMS), ERR_SYNTAX);
}

static void an_rsa_key_signs_what_its_public_half_reads(void **state)
{
    struct pair p = pair_of(EVP_RSA_gen(2048));
    (void)state;
    goes_round(TOKEN_RS256, p.private, p.public);
    assert_int_equal(sign(TOKEN_ES256, p.private, CLAIMS), ERR_SYNTAX);
    pair_clear(&p);
}

static void a_key_on_p256_signs_what_its_public_half_reads(void **state)
{
    struct pair p = pair_of(EVP_EC_gen("P-256"));
    (void)state;
    for (int i = 0; i < 20; i++) /* a number may begin with zeros */
        goes_round(TOKEN_ES256, p.private, p.public);
    pair_clear(&p);
}

static void other_keys_sign_nothing(void **state)
{
    struct pair p256 = pair_of(EVP_EC_gen("P-256")), p384 = pair_of(EVP_EC_gen("P-384"));
    (void)state;
    assert_int_equal(sign(TOKEN_ES256, p384.private, CLAIMS), ERR_SYNTAX);
    assert_int_equal(sign(TOKEN_RS256, p256.private, CLAIMS), ERR_SYNTAX);
    assert_int_equal(sign(TOKEN_ES256, p256.public, CLAIMS), ERR_SYNTAX);
    assert_int_equal(sign(TOKEN_ES256, p256.locked, CLAIMS), ERR_SYNTAX);
    assert_int_equal(sign(TOKEN_ES256, "-----BEGIN PRIVATE KEY-----\n", CLAIMS), ERR_SYNTAX);
    pair_clear(&p256);
    pair_clear(&p384);
}

static void claims_are_an_object(void **state)
{
    static const char *const others[] = {"", "[]", "null", "\"x\"", "{\"worlds\":", "{} x"};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(sign(TOKEN_HS256, "secret", others[i]), ERR_SYNTAX);
    assert_int_equal(sign(TOKEN_HS256, "secret", "{}"), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_signs_what_it_reads),
        cmocka_unit_test(an_rsa_key_signs_what_its_public_half_reads),
        cmocka_unit_test(a_key_on_p256_signs_what_its_public_half_reads),
        cmocka_unit_test(other_keys_sign_nothing),
        cmocka_unit_test(claims_are_an_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
