/* The table of keys. Nothing depends on what is in it but time. */
#include "common/proto/mac.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

#include "common/base/mem.h"

/* A secret, or what is derived from it, made ready. */
struct mac {
    char *secret;
    struct span label;
    EVP_MAC_CTX *ready;
};

enum { KEPT_MAX = 12 }; /* four secrets for three uses */
static struct mac kept[KEPT_MAX];
static size_t kept_next;

static void init(struct mac *m, struct span key)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    m->ready = EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);
    assert(m->ready != NULL);
    int done = EVP_MAC_init(m->ready, (const unsigned char *)key.ptr, key.len, params);
    assert(done == 1);
}

static void derive(struct mac *m, struct span secret, struct span label)
{
    uint8_t key[MAC_LEN];
    struct mac plain = {.secret = NULL};
    init(&plain, secret);
    mac_add(&plain, label);
    mac_end(&plain, key);
    EVP_MAC_CTX_free(plain.ready);
    init(m, span_of(key, sizeof key));
    OPENSSL_cleanse(key, sizeof key);
}

static void clear(struct mac *m)
{
    if (m->secret != NULL)
        OPENSSL_cleanse(m->secret, strlen(m->secret));
    free(m->secret);
    EVP_MAC_CTX_free(m->ready);
    *m = (struct mac){.secret = NULL};
}

static void set(struct mac *m, struct span secret, struct span label)
{
    clear(m);
    m->secret = xspandup(secret);
    m->label = label;
    if (label.len == 0)
        init(m, secret);
    else
        derive(m, secret, label);
}

struct mac *mac_begin(struct span secret, struct span label)
{
    for (size_t i = 0; i < KEPT_MAX; i++) {
        struct mac *m = &kept[i];
        if (m->secret == NULL || !span_eq(m->label, label) || !span_eq(span_str(m->secret), secret))
            continue;
        int again = EVP_MAC_init(m->ready, NULL, 0, NULL);
        assert(again == 1);
        return m;
    }
    struct mac *m = &kept[kept_next++ % KEPT_MAX];
    set(m, secret, label);
    return m;
}

void mac_add(struct mac *m, struct span text)
{
    int added = EVP_MAC_update(m->ready, (const unsigned char *)text.ptr, text.len);
    assert(added == 1);
}

void mac_end(struct mac *m, uint8_t out[MAC_LEN])
{
    size_t len = 0;
    int made = EVP_MAC_final(m->ready, out, &len, MAC_LEN);
    assert(made == 1 && len == MAC_LEN);
}

void mac_forget(void)
{
    for (size_t i = 0; i < KEPT_MAX; i++)
        clear(&kept[i]);
}
