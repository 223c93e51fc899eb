#pragma once
/* The state of a node; for the files of this folder only. */
#include "common/base/buf.h"
#include "common/base/list.h"
#include "common/base/map.h"
#include "common/base/wheel.h"
#include "shard/core/checks.h"
#include "shard/core/drain.h"
#include "shard/core/ending.h"
#include "shard/core/node.h"
#include "shard/core/owners.h"

struct node {
    const struct node_port *port;
    void *io;
    const struct node_settings *settings;
    struct node_stats stats;
    bool closing; /* after node_shutdown */
    struct ending ending;
    struct drain drain; /* of the whole node */
    size_t parting;     /* clients, see parting.h */
    int64_t epoch;      /* settings->epoch, or later: another process had the node's id before */

    struct slots client_slots; /* struct client */
    struct slots link_slots;   /* struct link; a handle lives from one dial to its end */
    struct slots shard_slots;  /* struct shard */
    struct map shard_map;      /* by id */
    struct list shards;        /* in the order of their start */
    struct owners owners;      /* of the shards of other nodes */
    struct slots world_slots;  /* struct world */
    struct map world_map;      /* by id */
    struct list worlds;        /* in the order of their start */
    int64_t spared_ms;         /* when shards that could be spared were looked for last */
    uint64_t orders_followed;  /* sets of orders ever; marks what the last full one named */

    struct checks checks;
    struct wheel wheel;
    struct rng rng;
    struct buf out;      /* the envelope under way to a room */
    struct buf scratch;  /* the envelope codec's */
    struct buf beat;     /* the beat under way to io */
    struct buf findings; /* that it tells, */
};
