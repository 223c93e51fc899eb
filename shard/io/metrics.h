#pragma once
/* The numbers of a node as Prometheus reads them. */
#include "common/net/doors.h"
#include "shard/core/address_rates.h"
#include "shard/core/node.h"
#include "shard/io/heart.h"
#include "shard/io/io_stats.h"
#include "shard/io/questions.h"
#include "shard/io/room_reach.h"
#include "shard/io/worlds.h"

/* Where the numbers are. All borrowed. */
struct metrics {
    const struct node *node;
    struct room_reach *reach;
    const struct io_stats *io;
    const struct worlds *worlds;
    const struct questions *questions;
    const struct heart *heart;
    const struct node_settings *settings;
    const struct address_rates *addresses;
    const struct loop *loop;
    struct http_server *const *server;
    const struct doors *doors;
};

/* Appends all metrics as text. */
void metrics_add(struct buf *out, const struct metrics *m, bool openmetrics);
/* True when an Accept header asks for OpenMetrics. */
bool metrics_are_wanted_open(struct span accept);
