/* Counts findings for Prometheus. */
#include "shard/io/metrics_findings.h"

#include "common/base/metrics.h"

#define FINDINGS "terrane_shard_findings"

void metrics_add_findings(struct buf *out, const struct findings *f, bool openmetrics)
{
    metrics_render_head(out, FINDINGS, METRIC_GAUGE, "What is found wrong, by check.", openmetrics);
    /* Those of any process and of nodes come first in the table. */
    for (enum finding_check c = 0; c < FINDING_NODE_SECRET; c++)
        buf_addf(out, FINDINGS "{check=\"%.*s\"} %zu\n", SPAN_ARG(finding_kinds[c].name),
                 findings_count(f, c));
}
