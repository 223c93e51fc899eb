#pragma once
/* Tokens that we make ourselves: HS256 (RFC 7515, RFC 7519), for operators who have the secret. */
#include "common/base/buf.h"

/* Appends a token with these claims (a JSON object), signed by the first of `secrets` (a list with
 * commas, as AUTH_JWT_SECRET). ERR_SYNTAX: there is none. */
MUST_CHECK enum err token_mint(struct buf *out, struct span secrets, struct span claims);
