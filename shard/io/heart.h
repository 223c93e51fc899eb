#pragma once
/* Beats on their way to worlds: POST …/heartbeat, answered within HEART_ANSWER_MS or not at all; a
 * bounded number at a time. */
#include "common/net/errand.h"
#include "common/proto/secret.h"
#include "shard/io/ticker.h"
#include "shard/io/worlds.h"

enum {
    HEART_ANSWER_MS = 1000,
    HEART_UNDER_WAY = 64,
    HEART_ANSWER_MAX = 64 * 1024 * 1024, /* bytes; a larger answer is none */
};

struct heart {
    struct ticker *ticker;
    struct worlds *worlds;
    const struct secrets *secrets;
    struct list waiting, under_way;
    size_t under_way_count;
    struct histogram time; /* from a beat to what came of it */
};
/* All borrowed. */
void heart_init(struct heart *h, struct ticker *t, struct worlds *worlds,
                const struct secrets *secrets);
/* As struct node_port has it: answered by node_beat_answered, never before this returns. */
void heart_beat(struct heart *h, struct handle world, struct span world_id, struct span body);
/* Drops all; core hears no more. */
void heart_clear(struct heart *h);
