#pragma once
/* Sums over shards, kept where counts change, so that a room or a world is shown without a walk
 * over its shards. Room and world each have one; the calls below are the only places that change a
 * shard's open, reserved, returning and max. They bring nothing else in line: that is the
 * registry's (registry_reindex). */
#include <stdint.h>

struct room;
struct shard;

/* Sums of what a shard has under the same names. The all-zero struct is that of no shards. */
struct tally {
    uint64_t open, reserved, returning, max;
};

void tally_open(struct shard *s, uint64_t to);
void tally_reserved(struct shard *s, uint64_t to);
void tally_returning(struct shard *s, uint64_t to);
void tally_max(struct shard *s, uint64_t to);
/* The shard goes: nothing of it counts any more. */
void tally_leave(struct shard *s);

/* Asserts that the room's sums are those over its shards, and the world's those over its rooms;
 * neither where that would be a long walk. */
void tally_check(const struct room *room);
