#pragma once
/* A borrowed run of bytes: text from outside, never assumed to end in NUL. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/err.h"

struct span {
    const char *ptr; /* may be NULL when len is 0 */
    size_t len;
};

/* A span of a string literal. */
#define SPAN(literal) ((struct span)SPAN_INIT(literal))
/* The same for the initialiser of a static table, which must be constant. */
#define SPAN_INIT(literal)                                                                         \
    {                                                                                              \
        .ptr = ("" literal), .len = sizeof(literal) - 1                                            \
    }
/* printf arguments for "%.*s". */
#define SPAN_ARG(s) (int)(s).len, (s).ptr == NULL ? "" : (s).ptr

static inline struct span span_of(const void *ptr, size_t len)
{
    return (struct span){.ptr = ptr, .len = len};
}

static inline struct span span_str(const char *text)
{
    return (struct span){.ptr = text, .len = text == NULL ? 0 : strlen(text)};
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Equal, ASCII letters compared without case. */
bool span_ieq(struct span a, struct span b);
/* Whether `part` is somewhere in it, compared in the same way; an empty one is. */
bool span_ihas(struct span s, struct span part);
bool span_starts(struct span s, struct span prefix);
bool span_ends(struct span s, struct span suffix);
/* The offset of `c`, or s.len when it is not there; the r form looks from the right. */
size_t span_index(struct span s, char c);
size_t span_rindex(struct span s, char c);
/* s[from, to); both are cut to s.len. */
struct span span_slice(struct span s, size_t from, size_t to);
/* Without the blanks, tabs, CR and LF at both ends. */
struct span span_trim(struct span s);
/* Takes what stands before the next `sep` off `*rest` (all of it when there is no sep left; then
 * *rest becomes {NULL, 0}). False when *rest is {NULL, 0} already. "a,,b" gives "a", "", "b". */
bool span_split(struct span *rest, char sep, struct span *part);
/* Decimal digits only, the whole span. ERR_SYNTAX: anything else; ERR_LIMIT: does not fit. */
MUST_CHECK enum err span_to_u64(struct span s, uint64_t *out);
/* Well-formed UTF-8 (RFC 3629): no surrogates, no overlong forms. */
bool span_is_utf8(struct span s);
