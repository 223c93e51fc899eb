#pragma once
/* Metrics as plain numbers in a struct, described by a table and rendered as Prometheus text 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/) or OpenMetrics 1.0. */
#include <stdint.h>

#include "common/base/buf.h"

enum { HISTOGRAM_BUCKETS = 18 };
/* Durations in microseconds; the upper bounds run 50 µs, 100 µs, 250 µs, 500 µs … 10 s, rendered
 * in seconds. */
struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS]; /* not cumulative; the last is +Inf */
    uint64_t count;
    uint64_t sum_us;
};
void histogram_add(struct histogram *h, int64_t us); /* negative: 0 */

enum metric_type {
    METRIC_COUNTER,
    METRIC_GAUGE,
    METRIC_GAUGE_MS, /* milliseconds, rendered in seconds */
    METRIC_HISTOGRAM,
};

struct metric_row {
    const char *name;   /* whole, with prefix and unit; a counter's ends in _total */
    const char *labels; /* `reason="full"` or NULL; rows of one name stand together */
    enum metric_type type;
    const char *help; /* one line; the first row of a name has it */
    size_t offset;    /* of a uint64_t or a struct histogram in the stats struct */
};

/* The # HELP and # TYPE lines of one metric. */
void metrics_render_head(struct buf *out, const char *name, enum metric_type type, const char *help,
                         bool openmetrics);
void metrics_render(struct buf *out, const struct metric_row *rows, size_t count, const void *stats,
                    bool openmetrics);
/* The figures of the process itself (process_cpu_seconds_total, process_resident_memory_bytes,
 * process_open_fds, process_max_fds, process_start_time_seconds) and terrane_build_info. What the
 * system does not say is left out. */
void metrics_render_process(struct buf *out, bool openmetrics);
/* OpenMetrics texts end with this; adds nothing otherwise. */
void metrics_render_end(struct buf *out, bool openmetrics);
#define METRICS_TEXT_TYPE        "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
