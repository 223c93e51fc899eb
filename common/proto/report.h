#pragma once
/* The body of POST …/update-shard, which shards send to worlds (docs/protocol.md, "Shard and
 * world"). */
#include "common/base/buf.h"

void report_add(struct buf *out, struct span shard_id, struct span world, uint64_t connections);
