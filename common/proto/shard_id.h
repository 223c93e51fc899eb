#pragma once
/* Shard ids `{roomId}:{worldId}:{13-digit ms}-{0…9999}` and world ids (docs/reference.md sections
 * 1, 2 and 4). */
#include "common/base/buf.h"

struct shard_id {
    struct span room;
    struct span world; /* {NULL, 0}: the id names none; an empty name has a non-NULL ptr */
};

/* Read from the right, so that room ids may hold colons; an id of another form (no such ending, or
 * no valid world id before it) is read as the reference reads it: room before the first colon,
 * world after it if there are three parts. Never fails: a text without a colon is a room. Spans
 * point into `id`. */
struct shard_id shard_id_parse(struct span id);
/* The time in an id of our form; 0 in any other. */
int64_t shard_id_ms(struct span id);
/* `ms`: Unix time, 13 digits; `n`: at most 9999. */
void shard_id_add(struct buf *out, struct span room, struct span world, int64_t ms, unsigned n);
/* ^world-[A-Za-z0-9_-]+$ */
bool world_id_is_valid(struct span id);
