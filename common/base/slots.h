#pragma once
/* Handles: slot and generation. What crosses from io to core and back is a handle, so that a late
 * callback finds nothing instead of something freed. The all-zero struct is valid and empty. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct handle {
    uint32_t slot;
    uint32_t gen; /* never 0 in a live handle: the all-zero handle finds nothing */
};

struct slot {
    void *item;
    uint32_t gen;
    uint32_t next_free;
};

struct slots {
    struct slot *slots;
    uint32_t count; /* live ones */
    uint32_t used;  /* slots ever used */
    uint32_t cap;
    uint32_t first_free; /* index + 1; 0: none */
};

struct handle slots_add(struct slots *s, void *item); /* item is not NULL */
/* The item, or NULL when the handle is stale. */
void *slots_get(const struct slots *s, struct handle h);
/* Frees the slot; answers the item, or NULL when the handle was stale already. */
void *slots_remove(struct slots *s, struct handle h);
void slots_clear(struct slots *s);
static inline bool handle_eq(struct handle a, struct handle b)
{
    return a.slot == b.slot && a.gen == b.gen;
}
static inline bool handle_is_none(struct handle h)
{
    return h.gen == 0;
}
