#pragma once
/* Tells nodes that somebody decides for a world who has not heard of them yet, so that they beat at
 * once (docs/protocol.md, "Node and world"). One try each: their next beat comes anyway. */
#include "common/net/pools.h"
#include "world/io/redis/signed_head.h"

enum { KNOCK_MS = 500, KNOCK_UNDER_WAY = 64 };

struct knock {
    struct loop *loop;
    const struct signer *signer;
    struct pools pools;
    struct list waiting, under_way;
    size_t under_way_count;
    uint64_t sent, heard; /* ever */
};

/* All borrowed; it must not move. */
void knock_init(struct knock *k, struct loop *l, const struct signer *signer);
/* Knocks at the node of that internal URL, for the world (both copied). */
void knock_at(struct knock *k, struct span world, struct span url);
/* Gives up what is under way; its connections are gone when the loop has turned. */
void knock_clear(struct knock *k);
