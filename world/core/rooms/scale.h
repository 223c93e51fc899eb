#pragma once
/* Rooms give shards up. */
#include "world/core/rooms/registry.h"

/* Drains all shards of the room and removes it with the last of them: true, and it is gone
 * already. */
bool registry_leave_room(struct registry *r, struct room *room, const struct order_drain *drain,
                         struct moment now);
/* Takes the room down to `target` shards: draining ones first, then those with the fewest seats
 * used, the oldest on ties, become draining as `drain` says (those that are stay as they were); the
 * empty among them are removed. */
void registry_scale_down(struct registry *r, struct room *room, uint32_t target,
                         const struct order_drain *drain, struct moment now);
