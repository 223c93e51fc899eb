/* Which credential of a request counts; whether it is good, secret.c and token.c know. */
#include "world/core/api/authz.h"

#include "common/proto/url.h"

static struct span token_of(struct authz *a, const struct credentials *c)
{
    struct span bearer = SPAN("Bearer ");

    if (c->authorization.ptr != NULL) {
        if (!span_starts(c->authorization, bearer))
            return c->authorization;
        return span_trim(span_slice(c->authorization, bearer.len, c->authorization.len));
    }
    buf_reset(&a->scratch);
    if (!url_query_get(c->query, SPAN("world-auth-token"), &a->scratch))
        return (struct span){0};
    return buf_span(&a->scratch);
}

enum err authz_open_token(struct authz *a, const struct credentials *c, int64_t now_s,
                          struct token *out)
{
    struct span text = token_of(a, c);
    enum err e = text.len == 0 ? ERR_DENIED : token_open(a->keys, text, now_s, out);

    return e == ERR_OK || e == ERR_EXPIRED ? e : ERR_DENIED;
}

enum err authz_check(struct authz *a, const struct credentials *c, struct span world, int64_t now_s,
                     enum token_scope *scope)
{
    struct token token;
    enum err e;

    *scope = TOKEN_ADMIN;
    if (c->access_count > 1 || c->access.len > 0)
        return authz_has_secret(a, c) ? ERR_OK : ERR_DENIED;
    e = authz_open_token(a, c, now_s, &token);
    if (e != ERR_OK)
        return e;
    *scope = token.scope;
    e = token_covers(&token, world) ? ERR_OK : ERR_DENIED;
    token_close(&token);
    return e;
}

enum err authz_admits(struct authz *a, const struct credentials *c, struct span given,
                      struct span world, struct span room, int64_t now_s)
{
    struct span text = token_of(a, c);
    struct token token;
    bool fits;

    if (text.len == 0)
        text = given;
    if (text.len == 0 || token_read(a->keys, text, now_s, &token) != ERR_OK)
        return ERR_MISSING;
    fits = json_object_get(token.claims, "rooms") != NULL && token_admits(&token, "rooms", room) &&
           token_admits(&token, "worlds", world);
    token_close(&token);
    return fits ? ERR_OK : ERR_DENIED;
}

bool authz_has_secret(const struct authz *a, const struct credentials *c)
{
    /* Several headers count as one, joined by ", ", which is no secret. */
    return c->access_count == 1 && secrets_match(a->secrets, c->access);
}

void authz_clear(struct authz *a)
{
    buf_clear(&a->scratch);
}
