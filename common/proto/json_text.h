#pragma once
/* JSON texts (RFC 8259) as text: checks without building anything, for what is passed on as it is.
 * A DOM would change numbers (0.1 becomes 0.10000000000000001) and lose duplicate keys. Iterative;
 * accepts exactly what JavaScript's JSON.parse accepts, up to JSON_DEPTH_MAX levels. */
#include "common/base/buf.h"

enum { JSON_DEPTH_MAX = 1024 }; /* a multiple of 64 */

/* One value with blanks around it, valid UTF-8. ERR_SYNTAX: it is not; ERR_LIMIT: nests deeper. */
MUST_CHECK enum err json_text_check(struct span text);

/* A member of the top-level object. */
struct json_member {
    struct span key;   /* raw, between the quotes */
    struct span value; /* raw text of the value, without blanks */
};

/* Like json_text_check, and calls `member` for each member of a top-level object, in order, as it
 * is read: what it was told holds only if the answer is ERR_OK, and so does `*kind`, the first
 * character of the value ('{', '[', '"', 't', 'f', 'n', '-' or a digit). */
MUST_CHECK enum err json_text_members(struct span text, char *kind,
                                      void (*member)(void *ctx, const struct json_member *m),
                                      void *ctx);

/* The elements of an array as it stands in a text that was checked: start with *at = 0, false at
 * the end. `element` is the raw text of one, without blanks. */
bool json_text_next(struct span array, size_t *at, struct span *element);

/* True when a raw JSON string (without its quotes, already checked) decodes to `text`. */
bool json_text_string_is(struct span raw, struct span text);
/* Appends what a raw JSON string (without its quotes, already checked) decodes to, as UTF-8; lone
 * surrogates become U+FFFD, as when JavaScript writes them. */
void json_text_unescape(struct buf *out, struct span raw);
