#pragma once
/* base64url without padding (RFC 4648 section 5), as tokens and tickets are written. */
#include "common/base/buf.h"

/* Appends `s`, encoded. */
void base64url_add(struct buf *out, struct span s);
/* Appends what `text` stands for. ERR_SYNTAX: it is empty, of an impossible length, has another
 * character, or bits at its end that should be zero; part of it may have been appended. */
MUST_CHECK enum err base64url_decode(struct buf *out, struct span text);
