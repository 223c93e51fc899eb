#pragma once
/* Shards without a node that nobody hears of any more (docs/design.md section 4, "Failure
 * detection"; rhythm.h has their pace). */
#include "world/core/rooms/registry.h"

enum {
    REGISTRY_SILENCE_MS = 5 * 60 * 1000, /* a shard silent for longer is removed */
};

/* Removes the shards that have been silent for more than REGISTRY_SILENCE_MS; answers how many. */
size_t registry_expire(struct registry *r, struct moment now);

/* Marks those that are silent beyond their rhythm: nobody is sent there. */
void registry_hush(struct registry *r, struct moment now);
