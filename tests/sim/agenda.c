/* A binary heap by (time, number). */
#include "tests/sim/agenda.h"

#include <stdlib.h>

#include "common/base/mem.h"

static bool is_before(const struct item *a, const struct item *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->no < b->no;
}

static void swap(struct item *a, struct item *b)
{
    struct item c = *a;
    *a = *b;
    *b = c;
}

void agenda_add(struct agenda *a, struct item item)
{
    if (a->count == a->cap) {
        a->cap = a->cap == 0 ? 256 : a->cap * 2;
        a->items = xreallocarray(a->items, a->cap, sizeof *a->items);
    }
    item.no = a->next_no++;
    size_t at = a->count++;
    a->items[at] = item;
    for (; at > 0 && is_before(&a->items[at], &a->items[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&a->items[at], &a->items[(at - 1) / 2]);
}

bool agenda_pop(struct agenda *a, struct item *out)
{
    if (a->count == 0)
        return false;
    *out = a->items[0];
    a->items[0] = a->items[--a->count];
    for (size_t at = 0;;) {
        size_t first = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < a->count; child++)
            first = is_before(&a->items[child], &a->items[first]) ? child : first;
        if (first == at)
            return true;
        swap(&a->items[at], &a->items[first]);
        at = first;
    }
}

int64_t agenda_next_ms(const struct agenda *a)
{
    return a->count == 0 ? INT64_MAX : a->items[0].due_ms;
}

void agenda_clear(struct agenda *a)
{
    for (size_t i = 0; i < a->count; i++)
        free(a->items[i].arg);
    free(a->items);
    *a = (struct agenda){.count = 0};
}
