#pragma once
/* What is wrong with a body, as a list of issues in the form of zod 3 (which the reference's
 * clients know): {code, path, message, expected, received, …}. */
#include "common/base/buf.h"
#include "common/base/json.h"

/* Where a field stands: inside `parent` (NULL: at the top). A NULL key is the body itself. */
struct issue_path {
    const char *parent;
    const char *key;
};

/* The all-zero struct is valid and empty. */
struct issues {
    struct buf text; /* the issues, comma-separated */
};

static inline bool issues_empty(const struct issues *is)
{
    return is->text.len == 0;
}

/* `got` is of another type than `expected` (a name as zod writes it); NULL: it is not there. */
void issues_add_type(struct issues *is, struct issue_path at, const char *expected,
                     const json_t *got);
/* A number with a fraction. */
void issues_add_fraction(struct issues *is, struct issue_path at);
/* A number under its minimum. */
void issues_add_too_small(struct issues *is, struct issue_path at, int64_t min, bool inclusive);
/* `type` is "number" or "string" (length in bytes). */
void issues_add_too_big(struct issues *is, struct issue_path at, const char *type, int64_t max);
/* A text that is none of the NULL-terminated `options`; `got` NULL or no text: a type issue. */
void issues_add_choice(struct issues *is, struct issue_path at, const char *const *options,
                       const json_t *got);
/* Appends {"issues":[…],"name":"ZodError"}. */
void issues_render(const struct issues *is, struct buf *out);
void issues_clear(struct issues *is);
