#pragma once
/* From core's handles to io's own things. Core owns the slots; this only remembers what io keeps
 * for a handle. The all-zero struct is valid and empty. */
#include "common/base/slots.h"

struct handles {
    struct slot *slots; /* next_free is not used */
    uint32_t cap;
};

/* Remembers `item` (not NULL) for a live handle; an older one of the same slot is forgotten. */
void handles_set(struct handles *h, struct handle handle, void *item);
/* The item, or NULL when the handle is stale or unknown. */
void *handles_get(const struct handles *h, struct handle handle);
void handles_remove(struct handles *h, struct handle handle);
void handles_clear(struct handles *h);
