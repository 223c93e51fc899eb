#pragma once
/* Checkups (common/proto/checkup.h): dials every other node and every room server once, as clients'
 * requests and links do, and tells core what came of it. */
#include "common/net/pools.h"
#include "common/proto/checkup.h"
#include "common/proto/secret.h"
#include "shard/io/room_servers.h"
#include "shard/io/ticker.h"

enum {
    CHECKUP_UNDER_WAY = 16, /* dials at a time, */
    CHECKUP_DIAL_MS = 3000, /* each over by then */
};

struct checkups {
    struct ticker *ticker;
    struct pools *peers; /* of other nodes */
    struct room_servers *rooms;
    const struct secrets *secrets;
    const struct node_settings *node;

    struct list waiting, under_way; /* struct probe */
    struct list closing;            /* of which core knows */
    size_t under_way_count;
    struct turn_end next; /* when one is over */
    struct handle world;  /* that wants the checkup */
    bool running;
};
/* The members up to `node` have been set; all are borrowed. */
void checkups_init(struct checkups *all);
/* As struct node_port has it. */
void checkups_start(struct checkups *all, struct handle world, const struct checkup *asked);
/* Gives up what is under way; core hears no more. It is gone when the loop has turned. */
void checkups_clear(struct checkups *all);
