#pragma once
/* What the world counts. Plain numbers; io renders them. */
#include "common/base/metrics.h"
#include "world/core/refusal.h"
#include "world/core/rooms/room_settings.h"

enum route {
    ROUTE_CONNECT,
    ROUTE_REGISTER_ROOM,
    ROUTE_UPDATE_SHARD,
    ROUTE_SCALE_ROOM,
    ROUTE_MANAGE_READ, /* below /api/v1 */
    ROUTE_MANAGE_CHANGE,
    ROUTE_HEARTBEAT,
    ROUTE_RESOLVE,
    ROUTE_OPTIONS,
    ROUTE_FEED,
    ROUTE_PROBE,   /* /livez /readyz /metrics /version */
    ROUTE_CONSOLE, /* the dashboard's files */
    ROUTE_UNKNOWN,
    ROUTE_COUNT,
};
const char *route_name(enum route route);

enum status_class { CLASS_1XX, CLASS_2XX, CLASS_4XX, CLASS_5XX, CLASS_COUNT };
const char *status_class_name(enum status_class class);

struct stats {
    uint64_t requests[ROUTE_COUNT][CLASS_COUNT];
    uint64_t refusals[REFUSAL_COUNT];
    uint64_t placements[STRATEGY_COUNT];
    uint64_t shards_created;
    uint64_t shards_expired;
    uint64_t feed_frames;
    enum route answering;                  /* of the request that is being answered */
    struct histogram latency[ROUTE_COUNT]; /* from the request's head to its answer; of what another
                                              process answers: ROUTE_UNKNOWN */
};

void stats_count_request(struct stats *s, enum route route, int status);
/* The request that was counted last has its answer; it took so long. */
void stats_count_latency(struct stats *s, int64_t us);
