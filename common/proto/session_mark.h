#pragma once
/* How sessions are named in logs: 16 hex digits that are the same at worlds and nodes with one
 * first secret, and tell nothing of the id to who does not have it. */
#include "common/proto/secret.h"

enum { SESSION_MARK_LEN = 16 };

/* From now on the log's `session` fields are HMAC-SHA-256 under the first of `secrets` (borrowed
 * for ever; label "terrane log session v1"). Where there is none, or nobody has called this, the
 * key is random. */
void session_mark_use(const struct secrets *secrets);
/* The mark of an id, with a NUL behind it. */
void session_mark(struct span id, char out[SESSION_MARK_LEN + 1]);
