#pragma once
/* Reports to the world: one POST …/update-shard each (reference protocol), a bounded number at a
 * time. */
#include "common/proto/secret.h"
#include "shard/io/ticker.h"
#include "shard/io/worlds.h"

struct reporter {
    struct ticker *ticker;
    struct worlds *worlds;
    const struct secrets *secrets;
    struct list waiting, under_way;
    size_t under_way_count;
};
/* All borrowed. */
void reporter_init(struct reporter *r, struct ticker *t, struct worlds *worlds,
                   const struct secrets *secrets);
/* As struct node_port has it: answered by node_reported, never before this returns. */
void reporter_send(struct reporter *r, struct handle shard, struct span shard_id, struct span world,
                   uint64_t connections);
/* True when nothing is under way or waits. */
bool reporter_is_idle(const struct reporter *r);
/* Drops all; core hears no more. */
void reporter_clear(struct reporter *r);
