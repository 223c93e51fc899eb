#pragma once
/* What Redis answers, as callers see it. Borrowed until their callback returns. */
#include "common/base/span.h"

enum redis_type { REDIS_NIL, REDIS_INTEGER, REDIS_TEXT, REDIS_ERROR, REDIS_LIST };
struct redis_answer {
    enum redis_type type;
    int64_t integer;
    struct span text; /* of TEXT (a status, too) and ERROR */
    size_t count;     /* of LIST */
    const void *list; /* redis_item's */
};
/* The i-th of a LIST, i < count. */
struct redis_answer redis_item(const struct redis_answer *list, size_t i);
/* Whether it is an ERROR with this first word: "READONLY". */
bool redis_is_error(const struct redis_answer *a, struct span code);
