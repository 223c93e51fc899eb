#pragma once
/* Makes tokens (RFC 7519, RFC 7515), for operators and tests: token.h reads them. */
#include "common/proto/token.h"

/* Appends a token with these claims (a JSON object's text, written as it is). `key`: for HS256 a
 * secret without NUL, for RS256 and ES256 a private key in PEM that needs no password (ES256: on
 * the curve P-256). ERR_SYNTAX: no key of that kind, or claims that are no object; `out` is as it
 * was. */
MUST_CHECK enum err token_sign(struct buf *out, enum token_alg alg, struct span key,
                               struct span claims);
