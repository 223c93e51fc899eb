#pragma once
/* What core has the store keep of rooms and shards: changes at once, counts now and then. */
#include "world/core/core.h"

void keep_room(struct core *core, const struct room *room);
/* With the count that it has now. */
void keep_shard(struct core *core, struct shard *shard);
/* Every record of the world, in the order of loading. */
void keep_world(struct core *core, struct world *w);
/* Only its count has changed: it is stored later, with those of others. */
void keep_count_later(struct core *core, struct shard *shard);
/* Stores the counts that are due, so many at once that the turn stays short. */
void keep_counts(struct core *core);
/* Stores those of the world. */
void keep_world_counts(struct core *core, const struct world *w);
/* When counts are to be stored next (the list is in the order of time); INT64_MAX: never. */
int64_t keep_due_ms(const struct core *core);
