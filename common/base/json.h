#pragma once
/* jansson, wrapped: decode what strangers send, read typed members, write escaped text. */
#include <jansson.h>

#include "common/base/buf.h"

/* Decodes one JSON text (RFC 8259): any value, NUL allowed inside strings, last duplicate key
 * wins, a leading byte order mark skipped, bad UTF-8 replaced by U+FFFD first. All numbers are
 * reals (integers beyond 2^53 lose digits as in JavaScript). NULL when it is not JSON, nests deeper
 * than jansson allows (2 048), or holds lone surrogates or numbers beyond double.
 * The caller frees with json_decref. */
json_t *json_decode(struct span text);
/* The same, and NULL when the text has more than `max` values, members and elements included. A
 * value of two bytes takes up to 350 of memory: for texts that may be long. */
json_t *json_decode_max(struct span text, size_t max);

/* Appends where the text stops being JSON, and why: `line 3, column 7: '}' expected`; nothing of
 * the text itself, which may be secret. Nothing when json_decode takes it. */
void json_add_problem(struct buf *out, struct span text);

/* Members of an object. Each answers false when the member is absent or of another type. */
bool json_get_span(const json_t *object, const char *key, struct span *out); /* borrowed */
bool json_get_bool(const json_t *object, const char *key, bool *out);
/* A number without fraction whose value lies in [min, max] and is exact in a double. */
bool json_get_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out);
/* The same for a value; NULL is none. */
bool json_whole(const json_t *value, int64_t min, int64_t max, int64_t *out);

/* Appends `s` as a JSON string with its quotes. `s` is UTF-8; bytes that are not become U+FFFD. */
void json_add_string(struct buf *out, struct span s);
