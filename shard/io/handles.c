/* A table indexed by slot. Slots are dense, because core hands freed ones out again. */
#include "shard/io/handles.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"

static void grow(struct handles *h, uint32_t slot)
{
    uint32_t cap = h->cap == 0 ? 64 : h->cap;
    while (cap <= slot)
        cap *= 2;
    h->slots = xreallocarray(h->slots, cap, sizeof *h->slots);
    memset(h->slots + h->cap, 0, (cap - h->cap) * sizeof *h->slots);
    h->cap = cap;
}

void handles_set(struct handles *h, struct handle handle, void *item)
{
    assert(item != NULL && !handle_is_none(handle));
    if (handle.slot >= h->cap)
        grow(h, handle.slot);
    h->slots[handle.slot] = (struct slot){.item = item, .gen = handle.gen};
}

void *handles_get(const struct handles *h, struct handle handle)
{
    if (handle_is_none(handle) || handle.slot >= h->cap)
        return NULL;
    const struct slot *s = &h->slots[handle.slot];
    return s->gen == handle.gen ? s->item : NULL;
}

void handles_remove(struct handles *h, struct handle handle)
{
    if (handles_get(h, handle) != NULL)
        h->slots[handle.slot] = (struct slot){0};
}

void handles_clear(struct handles *h)
{
    free(h->slots);
    *h = (struct handles){0};
}
