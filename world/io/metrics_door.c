/* What became of connections from PROXY_PROTOCOL. */
#include "world/io/metrics_rows.h"

static const struct metric_row rows[] = {
    {.name = "terrane_world_proxy_headers_total",
     .labels = "result=\"taken\"",
     .type = METRIC_COUNTER,
     .help = "Connections from PROXY_PROTOCOL, by what came of them.",
     .offset = offsetof(struct proxy_door_stats, taken)},
    {.name = "terrane_world_proxy_headers_total",
     .labels = "result=\"bad\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct proxy_door_stats, bad)},
    {.name = "terrane_world_proxy_headers_total",
     .labels = "result=\"slow\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct proxy_door_stats, slow)},
    {.name = "terrane_world_proxy_headers_total",
     .labels = "result=\"ended\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct proxy_door_stats, ended)},
    {.name = "terrane_world_proxy_headers_total",
     .labels = "result=\"full\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct proxy_door_stats, full)},
    {.name = "terrane_world_proxy_headers_awaited",
     .type = METRIC_GAUGE,
     .help = "Connections that have not said whose they are.",
     .offset = offsetof(struct proxy_door_stats, waiting)},
};

void metrics_add_door(struct buf *out, const struct proxy_door_stats *s, bool openmetrics)
{
    metrics_render(out, rows, sizeof(rows) / sizeof(rows[0]), s, openmetrics);
}
