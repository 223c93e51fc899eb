#pragma once
/* Ids of shards that are gone for good: a client that still has one is let in elsewhere, and no
 * node adopts it (docs/design.md section 4, "Substitution"). */
#include "common/base/list.h"
#include "common/base/map.h"

enum {
    RETIRED_MS = 24 * 3600 * 1000,
    RETIRED_MAX = 100000, /* of a world; beyond, the oldest are forgotten */
};

struct registry;
struct world;

/* Embedded in a world. */
struct retired {
    struct map by_id;
    struct list list; /* the oldest first */
    size_t count;
};

void retired_init(struct retired *r);
void retired_clear(struct retired *r);
bool retired_has(const struct retired *r, struct span id);
/* Remembers the id until that wall time, and has it stored. */
void retired_add(struct registry *r, struct world *w, struct span id, int64_t until_ms);
/* The same from the store; nothing happens when it is there already. */
void retired_restore(struct retired *r, struct span id, int64_t until_ms);
/* Has all of them stored, whatever is stored of them. */
void retired_keep(struct registry *r, const struct world *w);
/* Forgets what is over. */
void retired_expire(struct registry *r, struct world *w, int64_t wall_ms);
