/* Tokens: form, algorithm and claims are judged here, signatures by libjwt. libjwt 1.10 would take
 * "hs256", expired tokens and a NULL key, so it is handed only what passed the checks before it.
 * It compares HMACs in constant time where CVE-2024-25189 is fixed (Debian 12: it is). */
#include "common/proto/token.h"

#include <assert.h>
#include <jwt.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "common/base/base64url.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/proto/json_ascii.h"
#include "common/proto/json_text.h"

enum { NBF_LEEWAY_S = 30, PARTS = 3 };

struct token_key {
    char *text; /* with a NUL behind it: libjwt reads PEM as a C string */
    size_t len;
};

struct token_keys {
    enum token_alg alg;
    size_t shortest;
    size_t count;
    struct token_key *keys;
};

static const struct {
    const char *name; /* as it must stand in the header */
    jwt_alg_t jwt;
    int pkey; /* what kind of public key, for PEM */
} algs[] = {
    [TOKEN_HS256] = {"HS256", JWT_ALG_HS256, EVP_PKEY_NONE},
    [TOKEN_RS256] = {"RS256", JWT_ALG_RS256, EVP_PKEY_RSA},
    [TOKEN_ES256] = {"ES256", JWT_ALG_ES256, EVP_PKEY_EC},
};

static void keys_add(struct token_keys *k, struct span key, size_t strength)
{
    k->keys = xreallocarray(k->keys, k->count + 1, sizeof *k->keys);
    k->keys[k->count++] = (struct token_key){.text = xspandup(key), .len = key.len};
    if (k->count == 1 || strength < k->shortest)
        k->shortest = strength;
}

static enum err keys_read_secrets(struct token_keys *k, struct span list)
{
    struct span entry;
    while (span_split(&list, ',', &entry)) {
        entry = span_trim(entry);
        if (entry.len == 0 || entry.len > INT_MAX)
            return ERR_SYNTAX;
        keys_add(k, entry, entry.len);
    }
    return k->count > 0 ? ERR_OK : ERR_SYNTAX;
}

static enum err keys_read_pem(struct token_keys *k, struct span pem)
{
    if (pem.len == 0 || pem.len > INT_MAX)
        return ERR_SYNTAX;
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    int bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);
    bool fits = key != NULL && EVP_PKEY_get_base_id(key) == algs[k->alg].pkey && bits > 0;
    if (fits && k->alg == TOKEN_ES256) {
        char curve[32];
        fits = EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) == 1 &&
               span_eq(span_str(curve), SPAN("prime256v1"));
    }
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error(); /* what is left in the thread's queue would confuse TLS connections */
    if (!fits)
        return ERR_SYNTAX;
    keys_add(k, pem, ((size_t)bits + 7) / 8);
    return ERR_OK;
}

static void count_member(void *ctx, const struct json_member *m)
{
    (void)m;
    ++*(size_t *)ctx;
}

/* The JSON object, or NULL, also when a member is there twice: readers differ about which of them
 * counts (RFC 7515 section 4). */
static json_t *read_object(struct span text)
{
    char kind;
    size_t members = 0;
    if (json_text_members(text, &kind, count_member, &members) != ERR_OK || kind != '{')
        return NULL;
    json_t *value = json_decode(text);
    if (json_object_size(value) == members)
        return value;
    json_decref(value);
    return NULL;
}

/* The JSON object in a part of the token, or NULL. The caller frees it with json_decref. */
static json_t *part_object(struct span part)
{
    struct buf text = {0};
    json_t *value = NULL;
    if (base64url_decode(&text, part) == ERR_OK)
        value = read_object(buf_span(&text));
    buf_clear(&text);
    return value;
}

static bool split_token(struct span token, struct span part[PARTS])
{
    for (size_t i = 0; i < PARTS; i++) {
        if (!span_split(&token, '.', &part[i]))
            return false;
    }
    return token.ptr == NULL;
}

static enum err check_header(const struct token_keys *k, struct span part)
{
    json_t *header = part_object(part);
    struct span alg;
    enum err err = ERR_OK;
    if (header == NULL || json_object_get(header, "crit") != NULL)
        err = ERR_SYNTAX;
    else if (!json_get_span(header, "alg", &alg) || !span_eq(alg, span_str(algs[k->alg].name)))
        err = ERR_DENIED;
    json_decref(header);
    return err;
}

static bool signature_fits(const struct token_keys *k, struct span token)
{
    char *text = xspandup(token);
    bool fits = false;
    for (size_t i = 0; i < k->count && !fits; i++) {
        jwt_t *jwt = NULL;
        const void *key = k->keys[i].text;
        if (jwt_decode(&jwt, text, key, (int)k->keys[i].len) == 0)
            fits = jwt_get_alg(jwt) == algs[k->alg].jwt;
        jwt_free(jwt);
    }
    free(text);
    ERR_clear_error(); /* as in keys_read_pem */
    return fits;
}

/* Times are compared as the numbers they are in JSON: exp may have a fraction. */
static enum err check_times(const json_t *claims, int64_t now_s)
{
    const json_t *exp = json_object_get(claims, "exp"), *nbf = json_object_get(claims, "nbf");
    if ((exp != NULL && !json_is_number(exp)) || (nbf != NULL && !json_is_number(nbf)))
        return ERR_SYNTAX;
    if (exp != NULL && json_number_value(exp) < (double)now_s)
        return ERR_EXPIRED;
    if (nbf != NULL && json_number_value(nbf) > (double)(now_s + NBF_LEEWAY_S))
        return ERR_EXPIRED;
    return ERR_OK;
}

static enum err read_scope(const json_t *claims, enum token_scope *out)
{
    struct span scope = SPAN("admin");
    if (json_object_get(claims, "scope") != NULL && !json_get_span(claims, "scope", &scope))
        return ERR_DENIED;
    *out = span_eq(scope, SPAN("admin")) ? TOKEN_ADMIN : TOKEN_READ;
    return *out == TOKEN_ADMIN || span_eq(scope, SPAN("read")) ? ERR_OK : ERR_DENIED;
}

enum err token_keys_new(struct token_keys **out, enum token_alg alg, struct span keys)
{
    struct token_keys *k = xcalloc(1, sizeof *k);
    k->alg = alg;
    enum err err = alg == TOKEN_HS256 ? keys_read_secrets(k, keys) : keys_read_pem(k, keys);
    if (err != ERR_OK) {
        token_keys_free(k);
        return err;
    }
    *out = k;
    return ERR_OK;
}

enum err token_keys_change(struct token_keys *k, enum token_alg alg, struct span keys)
{
    struct token_keys *new;
    enum err err = token_keys_new(&new, alg, keys);
    if (err != ERR_OK)
        return err;
    struct token_keys old = *k;
    *k = *new;
    *new = old;
    token_keys_free(new);
    return ERR_OK;
}

void token_keys_free(struct token_keys *k)
{
    if (k == NULL)
        return;
    for (size_t i = 0; i < k->count; i++) {
        OPENSSL_cleanse(k->keys[i].text, k->keys[i].len);
        free(k->keys[i].text);
    }
    free(k->keys);
    free(k);
}

size_t token_keys_shortest(const struct token_keys *k)
{
    return k->shortest;
}

enum err token_read(const struct token_keys *k, struct span text, int64_t now_s, struct token *out)
{
    struct span part[PARTS];
    *out = (struct token){0};
    if (!split_token(text, part))
        return ERR_SYNTAX;
    enum err err = check_header(k, part[0]);
    if (err != ERR_OK)
        return err;
    struct buf signature = {0};
    err = base64url_decode(&signature, part[2]);
    buf_clear(&signature);
    json_t *claims = err == ERR_OK ? part_object(part[1]) : NULL;
    if (claims == NULL)
        return ERR_SYNTAX;
    out->claims = claims;
    err = signature_fits(k, text) ? check_times(claims, now_s) : ERR_DENIED;
    if (err != ERR_OK)
        token_close(out);
    return err;
}

enum err token_open(const struct token_keys *k, struct span text, int64_t now_s, struct token *out)
{
    enum err err = token_read(k, text, now_s, out);
    if (err != ERR_OK)
        return err;
    err = json_object_get(out->claims, "rooms") == NULL ? read_scope(out->claims, &out->scope)
                                                        : ERR_DENIED;
    if (err != ERR_OK)
        token_close(out);
    return err;
}

/* The array's text at `at`; false: something else stands there. */
static bool name_at(const json_t *names, size_t at, struct span *out)
{
    const json_t *item = json_array_get(names, at);
    if (!json_is_string(item))
        return false;
    *out = span_of(json_string_value(item), json_string_length(item));
    return true;
}

/* An array with "*" or the name. */
static bool names_have(const json_t *names, struct span wanted)
{
    for (size_t i = 0; i < json_array_size(names); i++) { /* 0 for what is not an array */
        struct span name;
        if (name_at(names, i, &name) && (span_eq(name, SPAN("*")) || span_eq(name, wanted)))
            return true;
    }
    return false;
}

bool token_covers(const struct token *t, struct span world)
{
    return names_have(json_object_get(t->claims, "worlds"), world);
}

bool token_covers_some(const struct token *t)
{
    struct span name;
    return name_at(json_object_get(t->claims, "worlds"), 0, &name);
}

bool token_admits(const struct token *t, const char *claim, struct span name)
{
    const json_t *names = json_object_get(t->claims, claim);
    return names == NULL || names_have(names, name);
}

bool token_subject(const struct token *t, struct span *out)
{
    return json_get_span(t->claims, "sub", out);
}

void token_add_claims(struct buf *out, struct span text)
{
    struct span part[PARTS];
    struct buf claims = {0};
    bool is_token = split_token(text, part) && base64url_decode(&claims, part[1]) == ERR_OK;
    assert(is_token);
    (void)is_token;
    json_ascii_add(out, buf_span(&claims));
    buf_clear(&claims);
}

void token_close(struct token *t)
{
    json_decref(t->claims);
    *t = (struct token){0};
}
