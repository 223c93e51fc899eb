#pragma once
/* What happens in a world, in one line each for people. Pure. */
#include "common/base/json.h"

/* Appends "shard.status lobby:world-a:1-1 draining 3/75", without a newline: an event of the
 * management API's stream and its data (docs/protocol.md, "Events"). */
void event_line(struct buf *out, struct span name, struct span data);
/* Appends a frame of the admin feed (docs/protocol.md, "World, admin WebSocket"): a line for each
 * room and shard that it names, each with its newline. `first`: it is the whole registry, which is
 * one line with numbers alone. False: it is no frame of the feed. */
bool feed_lines(struct buf *out, struct span frame, bool first);
