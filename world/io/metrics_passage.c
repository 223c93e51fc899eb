/* What the figures of the passage are called. */
#include "world/io/metrics_rows.h"

static const struct metric_row rows[] = {
    {.name = "terrane_world_passages",
     .type = METRIC_GAUGE,
     .help = "Requests under way to other worlds, or waiting for one.",
     .offset = offsetof(struct passage_stats, requests.now)},
    {.name = "terrane_world_passages_total",
     .labels = "outcome=\"answered\"",
     .type = METRIC_COUNTER,
     .help = "Requests passed on to the world process that decides, by outcome.",
     .offset = offsetof(struct passage_stats, requests.passed)},
    {.name = "terrane_world_passages_total",
     .labels = "outcome=\"nobody\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct passage_stats, seekers.timed_out)},
    {.name = "terrane_world_passages_total",
     .labels = "outcome=\"broken\"",
     .type = METRIC_COUNTER,
     .offset = offsetof(struct passage_stats, requests.broken)},
    {.name = "terrane_world_passage_waits_total",
     .type = METRIC_COUNTER,
     .help = "Requests and feed sockets that waited for their world to have an owner.",
     .offset = offsetof(struct passage_stats, seekers.waited)},
    {.name = "terrane_world_passage_retries_total",
     .type = METRIC_COUNTER,
     .help = "Tries at other worlds that did not serve.",
     .offset = offsetof(struct passage_stats, seekers.retried)},
    {.name = "terrane_world_passage_misdirected_total",
     .type = METRIC_COUNTER,
     .help = "Tries that another world refused, because it did not decide.",
     .offset = offsetof(struct passage_stats, requests.misdirected)},
    {.name = "terrane_world_passage_outdated_total",
     .type = METRIC_COUNTER,
     .help = "Answers that were not believed, because of an older epoch.",
     .offset = offsetof(struct passage_stats, requests.outdated)},
    {.name = "terrane_world_passage_feeds",
     .type = METRIC_GAUGE,
     .help = "Feed sockets carried to other worlds, or waiting for one.",
     .offset = offsetof(struct passage_stats, feeds.now)},
    {.name = "terrane_world_passage_seconds",
     .type = METRIC_HISTOGRAM,
     .help = "Time of requests passed on, waiting included.",
     .offset = offsetof(struct passage_stats, requests.time)},
};

void metrics_add_passage(struct buf *out, const struct passage_stats *s, bool openmetrics)
{
    metrics_render(out, rows, sizeof(rows) / sizeof(rows[0]), s, openmetrics);
}
