/* Histograms, and the Prometheus text of a table of numbers. */
#include "common/base/metrics.h"

#include <assert.h>

/* The upper bounds in both spellings. They read the same in both text formats, because Prometheus
 * takes another spelling for another series. */
static const struct {
    int64_t us;
    const char *seconds;
} bounds[HISTOGRAM_BUCKETS - 1] = {
    {50, "5e-05"},    {100, "0.0001"},   {250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"},
    {2500, "0.0025"}, {5000, "0.005"},   {10000, "0.01"},  {25000, "0.025"}, {50000, "0.05"},
    {100000, "0.1"},  {250000, "0.25"},  {500000, "0.5"},  {1000000, "1.0"}, {2500000, "2.5"},
    {5000000, "5.0"}, {10000000, "10.0"}};

static const char *type_name(enum metric_type type)
{
    switch (type) {
    case METRIC_COUNTER:
        return "counter";
    case METRIC_GAUGE:
    case METRIC_GAUGE_MS:
        return "gauge";
    case METRIC_HISTOGRAM:
        return "histogram";
    }
    return "unknown";
}

/* `name{labels} ` with a suffix behind the name and one more label, both of which may be empty. */
static void add_series(struct buf *out, const struct metric_row *row, const char *suffix,
                       const char *le)
{
    buf_addf(out, "%s%s", row->name, suffix);
    const char *labels = row->labels == NULL ? "" : row->labels;
    if (le != NULL)
        buf_addf(out, "{%s%sle=\"%s\"}", labels, *labels == '\0' ? "" : ",", le);
    else if (*labels != '\0')
        buf_addf(out, "{%s}", labels);
    buf_add_char(out, ' ');
}

static void add_histogram(struct buf *out, const struct metric_row *row, const struct histogram *h)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        sum += h->buckets[i];
        add_series(out, row, "_bucket", i < HISTOGRAM_BUCKETS - 1 ? bounds[i].seconds : "+Inf");
        buf_add_u64(out, sum);
        buf_add_char(out, '\n');
    }
    add_series(out, row, "_sum", NULL);
    buf_addf(out, "%llu.%06llu\n", (unsigned long long)(h->sum_us / 1000000),
             (unsigned long long)(h->sum_us % 1000000));
    add_series(out, row, "_count", NULL);
    buf_add_u64(out, h->count);
    buf_add_char(out, '\n');
}

static void add_row(struct buf *out, const struct metric_row *row, const void *field)
{
    if (row->type == METRIC_HISTOGRAM) {
        add_histogram(out, row, field);
        return;
    }
    add_series(out, row, "", NULL);
    uint64_t value = *(const uint64_t *)field;
    buf_add_u64(out, row->type == METRIC_GAUGE_MS ? value / 1000 : value);
    if (row->type == METRIC_GAUGE_MS)
        buf_addf(out, ".%03u", (unsigned)(value % 1000));
    buf_add_char(out, '\n');
}

void histogram_add(struct histogram *h, int64_t us)
{
    size_t i = 0;
    if (us < 0)
        us = 0;
    while (i < HISTOGRAM_BUCKETS - 1 && us > bounds[i].us)
        i++;
    h->buckets[i]++;
    h->count++;
    h->sum_us += (uint64_t)us;
}

void metrics_render_head(struct buf *out, const char *name, enum metric_type type, const char *help,
                         bool openmetrics)
{
    assert(help != NULL);
    struct span family = span_str(name);
    if (openmetrics && type == METRIC_COUNTER && span_ends(family, SPAN("_total")))
        family.len -= sizeof "_total" - 1; /* OpenMetrics names the family without it */
    buf_addf(out, "# HELP %.*s %s\n", SPAN_ARG(family), help);
    buf_addf(out, "# TYPE %.*s %s\n", SPAN_ARG(family), type_name(type));
}

void metrics_render(struct buf *out, const struct metric_row *rows, size_t count, const void *stats,
                    bool openmetrics)
{
    for (size_t i = 0; i < count; i++) {
        const struct metric_row *row = &rows[i];
        if (i == 0 || strcmp(row->name, rows[i - 1].name) != 0)
            metrics_render_head(out, row->name, row->type, row->help, openmetrics);
        add_row(out, row, (const char *)stats + row->offset);
    }
}

void metrics_render_end(struct buf *out, bool openmetrics)
{
    if (openmetrics)
        BUF_ADD_LIT(out, "# EOF\n");
}
