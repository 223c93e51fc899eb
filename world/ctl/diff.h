#pragma once
/* What is, and what would be: rooms, servers, records, member by member. */
#include "common/base/json.h"

struct change {
    const char *kind; /* "room" */
    char *name;       /* owned */
    json_t *was;      /* object; NULL: it is not there. Owned */
    json_t *will;     /* NULL: it goes. Owned */
};

/* The all-zero struct is valid and empty. */
struct diff {
    struct change *changes;
    size_t count, cap;
};

/* Notes the change, if it is one; takes no references. */
void diff_add(struct diff *d, const char *kind, const char *name, json_t *was, json_t *will);
/* Appends lines that begin with +, - or ~, and below each its members that differ. */
void diff_print(const struct diff *d, bool colour, struct buf *out);
/* [{"change":"add|change|delete","kind","name","fields":{NAME:{"was","will"}}}]; the caller frees.
 */
json_t *diff_json(const struct diff *d);
void diff_clear(struct diff *d);
