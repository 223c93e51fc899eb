#pragma once
/* Tables of metrics that stand for themselves, for metrics.c. */
#include "common/base/buf.h"
#include "common/net/proxy_door.h"
#include "world/core/core.h"
#include "world/io/passage.h"

struct cluster;

/* Nodes and room servers. */
void metrics_add_registry(struct buf *out, const struct registry *r, bool openmetrics);
void metrics_add_findings(struct buf *out, const struct core *core, bool openmetrics);
/* Redis, leases, and other processes. */
void metrics_add_cluster(struct buf *out, struct cluster *c, bool openmetrics);
/* Connections from PROXY_PROTOCOL. */
void metrics_add_door(struct buf *out, const struct proxy_door_stats *s, bool openmetrics);
/* What is passed on to other worlds. */
void metrics_add_passage(struct buf *out, const struct passage_stats *s, bool openmetrics);
