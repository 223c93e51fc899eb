#pragma once
/* JSON Web Tokens (RFC 7519) by libjwt, which no other file includes. The algorithm is ours to say:
 * the token's header is compared with it, byte for byte, before libjwt sees the token. */
#include "common/base/span.h"

enum token_alg { TOKEN_HS256, TOKEN_RS256, TOKEN_ES256 };

/* Keys to try in turn (rotation). */
struct token_keys;
/* HS256: comma-separated secrets, blanks around them removed; RS256 and ES256: one PEM public key
 * (ES256: on the curve P-256). Caller frees with token_keys_free (the keys are wiped).
 * ERR_SYNTAX: empty, or no key of that kind. */
MUST_CHECK enum err token_keys_new(struct token_keys **out, enum token_alg alg, struct span keys);
void token_keys_free(struct token_keys *k); /* NULL is allowed */
/* The shortest key's length in bytes (of a public key: the size of its modulus or field); for a
 * warning. */
size_t token_keys_shortest(const struct token_keys *k);

/* Checks signature, `exp` (if present: a number; in whole seconds, without leeway), `nbf` (if
 * present: a number, 30 s leeway) and that `worlds` is an array with "*" or `world`.
 * base64url only, without padding; three parts; header {"alg": ours, …} without `crit`; a `typ`
 * must be JWT. libjwt reads header and claims too, and refuses what it cannot hold: lone
 * surrogates, NUL, integers beyond 64 bits.
 * ERR_SYNTAX: malformed; ERR_DENIED: signature, algorithm or worlds; ERR_EXPIRED: exp or nbf. */
MUST_CHECK enum err token_check(const struct token_keys *k, struct span token, struct span world,
                                int64_t now_s);
