#pragma once
/* Clients on their way in: at the node that they dial, through it to the owner of their shard, or
 * to another shard of the room, as the nodes' cores say (shard/core/place.h). */
#include "tests/sim/fleet.h"

struct dial_start {
    int client;
    uint64_t attempt;
    struct span shard, session;
    int entry; /* index of the node's host */
};
/* Ends with crowd_opened or crowd_refused, unless a process that has to do with it ends before. */
void dial(struct sim *s, const struct dial_start *start);
/* Frees all that is known of dials. */
void dials_clear(struct sim *s);
