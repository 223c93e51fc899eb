#pragma once
/* The store that keeps nothing: the registry in memory is all there is. Syncs complete at the end
 * of the loop's turn, as those of a real store complete later. */
#include "common/net/loop.h"
#include "world/core/core.h"

struct store_memory {
    struct loop *loop;
    struct core *core;
    struct turn_end end;
    uint64_t *tokens; /* syncs that wait for the end of the turn */
    size_t count, cap;
};

/* Both are borrowed. */
void store_memory_init(struct store_memory *s, struct loop *l, struct core *core);
struct store_port store_memory_port(struct store_memory *s);
void store_memory_clear(struct store_memory *s);
