/* Not rows of a table (metrics.c): a reason that is new would be missing there. */
#include "shard/io/metrics_reasons.h"

#include <inttypes.h>

#include "common/base/metrics.h"

#define ENDS     "terrane_shard_client_ends_total"
#define REFUSALS "terrane_shard_refusals_total"

static void add_sample(struct buf *out, const char *metric, const char *reason, uint64_t count)
{
    buf_addf(out, "%s{reason=\"%s\"} %" PRIu64 "\n", metric, reason, count);
}

/* Of "refused_full" "full": the metric says the rest. */
static const char *refusal_of_core(enum node_reason r)
{
    static const char prefix[] = "refused_";
    return node_reason_text(r) + sizeof prefix - 1;
}

void metrics_add_reasons(struct buf *out, const struct node_stats *node, const struct io_stats *io,
                         bool openmetrics)
{
    metrics_render_head(out, ENDS, METRIC_COUNTER, "Clients that left, by reason.", openmetrics);
    for (enum node_reason r = NODE_PEER_CLOSED; r < NODE_REFUSED_FULL; r++)
        add_sample(out, ENDS, node_reason_text(r), node->reasons[r]);
    metrics_render_head(out, REFUSALS, METRIC_COUNTER, "Requests refused, by reason.", openmetrics);
    for (enum node_reason r = NODE_REFUSED_FULL; r < NODE_REASON_COUNT; r++)
        add_sample(out, REFUSALS, refusal_of_core(r), node->reasons[r]);
    for (enum refusal r = REFUSED_NOT_FOUND; r < REFUSAL_COUNT; r++)
        add_sample(out, REFUSALS, refusal_text(r), io->refusals[r]);
}
