#pragma once
/* Who may manage a world: the shard secret, or a token whose `worlds` covers it (docs/reference.md
 * section 2, "Authorization"); and who may go to a room that is not public. */
#include "common/base/buf.h"
#include "common/proto/secret.h"
#include "common/proto/token.h"

/* What a request brings along; spans as they stand in it. */
struct credentials {
    size_t access_count;       /* how many x-access-shard headers there are */
    struct span access;        /* the first of them */
    struct span authorization; /* {NULL, 0}: no such header */
    struct span query;         /* raw query string */
};

struct authz {
    const struct secrets *secrets; /* borrowed */
    const struct token_keys *keys;
    struct buf scratch;
};

/* ERR_OK: may, as far as *scope goes (the secret: TOKEN_ADMIN). ERR_EXPIRED: an expired token;
 * ERR_DENIED: anything else.
 * x-access-shard, present and not empty, decides alone. Else the Authorization header, `Bearer` or
 * bare; only without one the query parameter world-auth-token. */
MUST_CHECK enum err authz_check(struct authz *a, const struct credentials *c, struct span world,
                                int64_t now_s, enum token_scope *scope);
/* The same by token alone, for any world: x-access-shard counts for nothing. With ERR_OK the caller
 * frees by token_close. */
MUST_CHECK enum err authz_open_token(struct authz *a, const struct credentials *c, int64_t now_s,
                                     struct token *out);
/* May a client go to that room, which is not public? ERR_OK: its token has a claim `rooms` that
 * covers it, and `worlds`, if it is there, covers the world. ERR_DENIED: it does not; ERR_MISSING:
 * there is no token, or none that is good. The token is the request's, else `given`. */
MUST_CHECK enum err authz_admits(struct authz *a, const struct credentials *c, struct span given,
                                 struct span world, struct span room, int64_t now_s);
/* True when the shard secret itself was brought. */
bool authz_has_secret(const struct authz *a, const struct credentials *c);
void authz_clear(struct authz *a);
