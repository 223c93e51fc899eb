#pragma once
/* Tokens for tests, signed with HMAC. */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/base/base64url.h"

/* Signs with SHA-256 or SHA-512, whatever the header says. */
static struct buf make_token(struct span header, struct span claims, const char *key, int bits)
{
    struct buf token = {0};
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_len = 0;
    base64url_add(&token, header);
    buf_add_char(&token, '.');
    base64url_add(&token, claims);
    const unsigned char *text = (const unsigned char *)token.data;
    const EVP_MD *hash = bits == 512 ? EVP_sha512() : EVP_sha256();
    assert_non_null(HMAC(hash, key, (int)strlen(key), text, token.len, mac, &mac_len));
    buf_add_char(&token, '.');
    base64url_add(&token, span_of(mac, mac_len));
    return token;
}
