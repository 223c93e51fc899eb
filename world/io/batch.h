#pragma once
/* Changes that wait for the store: per record only the newest. */
#include "common/base/list.h"
#include "common/base/map.h"
#include "world/core/port.h"

struct batch_entry {
    struct list node;
    struct span name; /* owned: kind, world, NUL, key */
    enum record_kind kind;
    struct span world, key; /* in name */
    bool remove;            /* what is stored goes first, so that a new one is the youngest */
    bool put;
    struct span value; /* owned; of a put */
};

/* batch_init before use; it stays where it is. */
struct batch {
    struct map names;
    struct list list; /* struct batch_entry.node, in the order in which new records came */
};

void batch_init(struct batch *b);
/* Copies what it is given. */
void batch_put(struct batch *b, const struct record *record);
void batch_remove(struct batch *b, enum record_kind kind, struct span world, struct span key);
static inline size_t batch_count(const struct batch *b)
{
    return b->names.count;
}
/* Moves all of `from` to `to`, which is empty; `from` is empty then. */
void batch_take(struct batch *to, struct batch *from);
/* `to` becomes what it would be if what is in `newer` had come behind it; `newer` is empty then. */
void batch_merge(struct batch *to, struct batch *newer);
/* Forgets all of it. */
void batch_clear(struct batch *b);
