#pragma once
/* Why clients ended and why they were refused, counted: each reason that core and io have is a
 * sample, whether anybody met it or not. */
#include "shard/core/node.h"
#include "shard/io/io_stats.h"

/* Appends terrane_shard_client_ends_total and terrane_shard_refusals_total. */
void metrics_add_reasons(struct buf *out, const struct node_stats *node, const struct io_stats *io,
                         bool openmetrics);
