#pragma once
/* JSON Web Tokens (RFC 7519) by libjwt, which no other file includes. The algorithm is ours to say:
 * the token's header is compared with it, byte for byte, before libjwt sees the token. */
#include "common/base/json.h"

enum token_alg { TOKEN_HS256, TOKEN_RS256, TOKEN_ES256 };

/* Keys to try in turn (rotation). */
struct token_keys;
/* HS256: comma-separated secrets, blanks around them removed; RS256 and ES256: one PEM public key
 * (ES256: on the curve P-256). Caller frees with token_keys_free (the keys are wiped).
 * ERR_SYNTAX: empty, or no key of that kind. */
MUST_CHECK enum err token_keys_new(struct token_keys **out, enum token_alg alg, struct span keys);
/* Replaces the keys in place, so that all who borrow *k see the new ones; the old ones are wiped.
 * ERR_SYNTAX: as above, and *k is as it was. */
MUST_CHECK enum err token_keys_change(struct token_keys *k, enum token_alg alg, struct span keys);
void token_keys_free(struct token_keys *k); /* NULL is allowed */
/* The shortest key's length in bytes (of a public key: the size of its modulus or field); for a
 * warning. */
size_t token_keys_shortest(const struct token_keys *k);

/* What the bearer may do at a world: the claim `scope`, "read" or "admin" (absent: admin). */
enum token_scope { TOKEN_READ, TOKEN_ADMIN };

struct token {
    json_t *claims;
    enum token_scope scope; /* of token_open */
};

/* A client's token. Checks signature, `exp` (if present: a number; in whole seconds, without
 * leeway) and `nbf` (if present: a number, 30 s leeway).
 * base64url only, without padding; three parts, of which the first two are JSON objects whose
 * members are there once; header {"alg": ours, …} without `crit`; a `typ` must be JWT. libjwt reads
 * header and claims too, and refuses what it cannot hold: lone surrogates, NUL, integers beyond 64
 * bits. With ERR_OK the caller frees by token_close.
 * ERR_SYNTAX: malformed; ERR_DENIED: signature or algorithm; ERR_EXPIRED: exp or nbf. */
MUST_CHECK enum err token_read(const struct token_keys *k, struct span text, int64_t now_s,
                               struct token *out);
/* An operator's. The same, and checks `scope`; ERR_DENIED: scope, or there is a claim `rooms`: such
 * a token lets clients in, and does nothing else. */
MUST_CHECK enum err token_open(const struct token_keys *k, struct span text, int64_t now_s,
                               struct token *out);
/* Whether the claim `worlds` is an array with "*" or `world`. */
bool token_covers(const struct token *t, struct span world);
/* Whether that claim names any world at all: else it is a client's. */
bool token_covers_some(const struct token *t);
/* The same of a claim that narrows down where the bearer may go: true, too, when it is absent. */
bool token_admits(const struct token *t, const char *claim, struct span name);
/* The claim `sub`, borrowed; false: none, or no text. */
bool token_subject(const struct token *t, struct span *out);
/* Appends the claims of a token that has been read, as it writes them, but in ASCII and without
 * blanks: fit for a header. */
void token_add_claims(struct buf *out, struct span text);
void token_close(struct token *t);
