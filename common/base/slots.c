/* The slot table. A slot's generation grows when it is freed, which makes all its handles stale. */
#include "common/base/slots.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"

enum { SLOTS_CAP_MIN = 8 };

static struct slot *slots_find(const struct slots *s, struct handle h)
{
    if (h.slot >= s->used)
        return NULL;
    struct slot *slot = &s->slots[h.slot];
    return slot->item != NULL && slot->gen == h.gen ? slot : NULL;
}

static uint32_t slots_take(struct slots *s)
{
    if (s->first_free != 0) {
        uint32_t at = s->first_free - 1;
        s->first_free = s->slots[at].next_free;
        return at;
    }
    if (s->used == s->cap) {
        assert(s->cap <= UINT32_MAX / 2);
        s->cap = s->cap == 0 ? SLOTS_CAP_MIN : s->cap * 2;
        s->slots = xreallocarray(s->slots, s->cap, sizeof *s->slots);
    }
    s->slots[s->used] = (struct slot){.gen = 1};
    return s->used++;
}

struct handle slots_add(struct slots *s, void *item)
{
    assert(item != NULL);
    uint32_t at = slots_take(s);
    s->slots[at].item = item;
    s->slots[at].next_free = 0;
    s->count++;
    return (struct handle){.slot = at, .gen = s->slots[at].gen};
}

void *slots_get(const struct slots *s, struct handle h)
{
    const struct slot *slot = slots_find(s, h);
    return slot == NULL ? NULL : slot->item;
}

void *slots_remove(struct slots *s, struct handle h)
{
    struct slot *slot = slots_find(s, h);
    if (slot == NULL)
        return NULL;
    void *item = slot->item;
    slot->item = NULL;
    slot->gen = slot->gen == UINT32_MAX ? 1 : slot->gen + 1; /* 0 is no generation */
    slot->next_free = s->first_free;
    s->first_free = h.slot + 1;
    s->count--;
    return item;
}

void slots_clear(struct slots *s)
{
    free(s->slots);
    *s = (struct slots){.slots = NULL};
}
