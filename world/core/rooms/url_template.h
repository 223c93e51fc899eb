#pragma once
/* The address that a client is given for a shard, made from a template. */
#include "common/base/buf.h"

/* Appends `text` with its first `{shardId}` replaced by the shard's id and then the first
 * `{roomId}` of the result by the room's name. Nothing else has a meaning. */
void url_template_fill(struct buf *out, struct span text, struct span shard_id, struct span room);
