#pragma once
/* Who calls himself a node and has not got the secret: kept by address, so that operators hear of a
 * node with another SHARD_SECRET. Anybody may be one, so there are few of them, they are forgotten
 * soon, and nothing that they send is parsed. */
#include "common/proto/addr.h"
#include "world/core/moment.h"

enum {
    IMPOSTORS_MAX = 16,   /* of a process, by address and world; of more nothing is said */
    IMPOSTORS_WORLDS = 4, /* that one address is kept for: it may make them up */
    IMPOSTORS_KEEP_MS = 5 * 60 * 1000, /* after the last time */
};

struct core;

struct impostor {
    char address[ADDR_TEXT_MAX];
    struct span world; /* owned */
    int64_t last_ms;   /* monotonic */
};

struct impostors {
    struct impostor list[IMPOSTORS_MAX];
    size_t count;
};

/* One has asked something of the world, which need not be there; `body` as it came. The finding is
 * the world's if it is ours, else the process's. */
void impostors_saw(struct core *core, struct span world, const struct addr *from, struct span body,
                   struct moment now);
/* Forgets those that were silent. To be called now and then. */
void impostors_tick(struct core *core, struct moment now);
void impostors_clear(struct impostors *i);
