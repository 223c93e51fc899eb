#pragma once
/* Which web pages may open connections (docs/protocol.md, "What a client cannot fake"): a
 * comma-separated list of origins, against the Origin header of browsers (RFC 6454). Entries are
 * `scheme://host[:port]`, the same with `*.` before the host (any name below it, not the host
 * itself) or `null`. Scheme and host in any case; http and https have their ports by default. Pure.
 */
#include <stdbool.h>

#include "common/base/buf.h"

/* ERR_SYNTAX: *bad is the entry that is none. Blanks around entries are allowed; an empty list is
 * good. */
MUST_CHECK enum err allowed_origins_check(struct span list, struct span *bad);
/* Does the value of an Origin header stand in `list`? An empty list lets all in, any value. One
 * that is no origin fits nothing else. */
bool allowed_origins_has(struct span list, struct span origin);
