/* Looks where a world would look. */
#include "world/ctl/token_source.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "common/proto/token_sign.h"
#include "world/ctl/token_verdict.h"

enum { KEY_MAX = 64 * 1024 };

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? NULL : value;
}

static enum err read_key(struct token_source *s, const char *path, struct buf *problem)
{
    enum err e = file_read(path, KEY_MAX, &s->keys);
    if (e != ERR_OK)
        buf_addf(problem, "%s: %s", path, e == ERR_LIMIT ? "too long for a key" : strerror(errno));
    while (s->keys.len > 0 && span_trim(buf_span(&s->keys)).len < s->keys.len)
        s->keys.len--; /* the newline at its end */
    return e;
}

static bool fits(enum token_alg alg, struct span pem)
{
    struct token_keys *keys = NULL;
    struct buf token = {0};
    bool good = token_sign(&token, alg, pem, SPAN("{}")) == ERR_OK ||
                token_keys_new(&keys, alg, pem) == ERR_OK;
    token_keys_free(keys);
    buf_clear(&token);
    return good;
}

static enum token_alg guess(struct span keys)
{
    if (!span_starts(keys, SPAN("-----BEGIN")))
        return TOKEN_HS256;
    return fits(TOKEN_ES256, keys) ? TOKEN_ES256 : TOKEN_RS256;
}

enum err token_source_read(struct token_source *s, const struct args *args, struct buf *problem)
{
    const char *key = args_value(args, "key"), *alg = args_value(args, "alg");
    const char *secret = environment("AUTH_JWT_SECRET"),
               *path = environment("AUTH_JWT_SECRET_FILE");
    enum err e = ERR_OK;

    *s = (struct token_source){0};
    if (key != NULL)
        e = read_key(s, key, problem);
    else if (secret != NULL)
        buf_add_span(&s->keys, span_str(secret));
    else if (path != NULL)
        e = read_key(s, path, problem);
    if (e != ERR_OK)
        return ERR_SYNTAX;
    if (alg == NULL && key == NULL)
        alg = environment("AUTH_JWT_ALG");
    if (alg == NULL)
        s->alg = guess(buf_span(&s->keys));
    else if (token_alg_read(span_str(alg), &s->alg) != ERR_OK) {
        buf_addf(problem, "'%s' is no algorithm of ours: HS256, RS256 or ES256", alg);
        return ERR_SYNTAX;
    }
    return ERR_OK;
}

struct span token_source_signer(const struct token_source *s)
{
    struct span rest = buf_span(&s->keys), first = rest;
    if (s->alg == TOKEN_HS256)
        (void)span_split(&rest, ',', &first);
    return span_trim(first);
}

void token_source_clear(struct token_source *s)
{
    buf_clear(&s->keys);
}
