#pragma once
/* Where a client goes (docs/reference.md section 2, "POST /connect"): room → candidates → strategy
 * → shard. */
#include "world/core/refusal.h"
#include "world/core/rooms/registry.h"

struct placement {
    struct shard *shard; /* NULL: refused */
    enum refusal refusal;
};

/* Would placement_find make a shard? */
bool placement_grows(const struct room *room, bool auto_create, uint64_t max_room_shards);
/* Finds a shard for one more client of the room and promises it a seat there. `session` is who it
 * is, as far as it said (may be empty): only the strategy hash looks at it, and without one chooses
 * at random. With `auto_create` a shard is made when none is left and the room's maxShards (and
 * `max_room_shards`, our own bound) allow it; a room without any shard gets one whatever its
 * maxShards. */
struct placement placement_find(struct registry *r, struct room *room, struct span session,
                                bool auto_create, uint64_t max_room_shards, struct moment now);
/* The shard that placement_find would take now, without taking it and without a new one. */
struct placement placement_peek(const struct registry *r, const struct room *room,
                                struct span session);
