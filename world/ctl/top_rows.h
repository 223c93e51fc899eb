#pragma once
/* The rows of a page of `worldctl top`: what fits the filter, in order. */
#include "world/ctl/top_columns.h"

struct top_order {
    enum top_page page;
    int column;         /* of the page's sheet */
    bool down;          /* the largest first */
    struct span filter; /* a part of the name, in any case; empty: all */
};

struct top_rows {
    const json_t **items; /* borrowed ones */
    size_t count;
};

/* `list`: an array, or NULL. Equal rows stay in the list's order. What was in *rows before is
 * replaced. */
void top_rows_make(struct top_rows *rows, const json_t *list, const struct top_order *order,
                   int64_t now_ms);
void top_rows_clear(struct top_rows *rows);
/* The row with this name; rows->count: none has it. */
size_t top_rows_find(const struct top_rows *rows, enum top_page page, struct span name);
