#pragma once
/* UTF-8 (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF. */
#include "common/base/buf.h"

/* Checks a text that comes in pieces. *state is 0 before the first piece; it is 0 again whenever
 * the text so far ends with a whole character. False as soon as no continuation can make it UTF-8;
 * *state then stays bad. span_is_utf8 checks a text that is there as a whole. */
MUST_CHECK bool utf8_check(uint32_t *state, struct span piece);
/* Appends `bytes` with every sequence that is not UTF-8 replaced by U+FFFD, as the WHATWG decoder
 * does (one for each maximal subpart). */
void utf8_repair(struct buf *out, struct span bytes);
