/* Sorts by a key that is made once for each item. */
#include "world/ctl/top_rows.h"

#include <stdlib.h>

#include "common/base/mem.h"

struct keyed {
    const json_t *item;
    double number;
    struct span text;
    size_t at; /* in the list */
    bool down;
};

static int compare_text(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.ptr, b.ptr, len);
    if (order != 0 || a.len == b.len)
        return order;
    return a.len < b.len ? -1 : 1;
}

static int compare(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;
    int order = a->number < b->number ? -1 : a->number > b->number;
    if (order == 0)
        order = compare_text(a->text, b->text);
    if (order != 0)
        return a->down ? -order : order;
    return a->at < b->at ? -1 : a->at > b->at;
}

static bool fits(struct span name, struct span filter)
{
    for (size_t at = 0; at + filter.len <= name.len; at++)
        if (span_ieq(span_slice(name, at, at + filter.len), filter))
            return true;
    return false;
}

static struct keyed keyed(const json_t *item, const struct top_order *order, int64_t now_ms,
                          struct top_cell *scratch)
{
    const struct top_column *column = &top_sheets[order->page].columns[order->column];
    struct keyed k = {.item = item, .down = order->down};
    top_cell(column, item, now_ms, scratch);
    k.number = scratch->number;
    if (column->kind == TOP_TEXT && !json_get_span(item, column->member, &k.text))
        k.text = SPAN("");
    return k;
}

void top_rows_make(struct top_rows *rows, const json_t *list, const struct top_order *order,
                   int64_t now_ms)
{
    size_t all = json_array_size(list);
    struct keyed *keys = xcalloc(all > 0 ? all : 1, sizeof *keys);
    struct top_cell scratch = {0};

    rows->count = 0;
    rows->items = xreallocarray(rows->items, all > 0 ? all : 1, sizeof(const json_t *));
    for (size_t i = 0; i < all; i++) {
        const json_t *item = json_array_get(list, i);
        if (!fits(top_item_name(order->page, item), order->filter))
            continue;
        keys[rows->count] = keyed(item, order, now_ms, &scratch);
        keys[rows->count++].at = i;
    }
    qsort(keys, rows->count, sizeof *keys, compare);
    for (size_t i = 0; i < rows->count; i++)
        rows->items[i] = keys[i].item;
    buf_clear(&scratch.text);
    free(keys);
}

void top_rows_clear(struct top_rows *rows)
{
    free(rows->items);
    *rows = (struct top_rows){0};
}

size_t top_rows_find(const struct top_rows *rows, enum top_page page, struct span name)
{
    size_t i = 0;
    while (i < rows->count && !span_eq(top_item_name(page, rows->items[i]), name))
        i++;
    return i;
}
