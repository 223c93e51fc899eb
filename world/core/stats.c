/* Names of what is counted. */
#include "world/core/stats.h"

const char *route_name(enum route route)
{
    static const char *const names[ROUTE_COUNT] = {
        [ROUTE_CONNECT] = "connect",
        [ROUTE_REGISTER_ROOM] = "register-room",
        [ROUTE_UPDATE_SHARD] = "update-shard",
        [ROUTE_SCALE_ROOM] = "scale-room",
        [ROUTE_MANAGE_READ] = "manage-read",
        [ROUTE_MANAGE_CHANGE] = "manage-change",
        [ROUTE_HEARTBEAT] = "heartbeat",
        [ROUTE_RESOLVE] = "resolve",
        [ROUTE_OPTIONS] = "options",
        [ROUTE_FEED] = "feed",
        [ROUTE_PROBE] = "probe",
        [ROUTE_CONSOLE] = "console",
        [ROUTE_UNKNOWN] = "unknown",
    };

    return names[route];
}

const char *status_class_name(enum status_class class)
{
    static const char *const names[CLASS_COUNT] = {
        [CLASS_1XX] = "1xx",
        [CLASS_2XX] = "2xx",
        [CLASS_4XX] = "4xx",
        [CLASS_5XX] = "5xx",
    };

    return names[class];
}

static enum status_class class_of(int status)
{
    if (status >= 500)
        return CLASS_5XX;
    if (status >= 400)
        return CLASS_4XX;
    return status >= 200 ? CLASS_2XX : CLASS_1XX;
}

void stats_count_request(struct stats *s, enum route route, int status)
{
    s->requests[route][class_of(status)]++;
    s->answering = route;
}

void stats_count_latency(struct stats *s, int64_t us)
{
    histogram_add(&s->latency[s->answering], us);
    s->answering = ROUTE_UNKNOWN;
}
