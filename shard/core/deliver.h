#pragma once
/* Frames of the room server on their way to clients (docs/reference.md section 4, "Frames main →
 * shard"). */
#include "common/base/span.h"

struct shard;

/* Reads one frame of the room and does what it says. Borrows `text`. */
void deliver(struct shard *shard, struct span text, int64_t now);
