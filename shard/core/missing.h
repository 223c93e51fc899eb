#pragma once
/* Those who came by a node that is lost, and did not come back: a world that knows of them names
 * them to the owner of their shard, which tells the room (docs/protocol.md, "Node and world"). */
#include "common/base/json.h"

struct world;

/* The world took this node for lost, and may have had rooms told so: they hear that everybody is
 * here, and the world hears all. */
void missing_refute(struct world *w);
/* Follows what orders say of them. Who is here is not missing; who is named again is told once. */
void missing_follow(struct world *w, const json_t *orders, int64_t now);
