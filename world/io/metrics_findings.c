/* How many findings there are, by check: of those that worlds make, 0 too. */
#include "world/io/metrics_rows.h"

static bool is_made_here(enum finding_check check)
{
    return check <= FINDING_WEAK_SECRET || check >= FINDING_NODE_SECRET;
}

void metrics_add_findings(struct buf *out, const struct core *core, bool openmetrics)
{
    metrics_render_head(out, "terrane_world_findings", METRIC_GAUGE,
                        "What this process finds wrong, by check.", openmetrics);
    for (unsigned check = 0; check < FINDING_CHECK_COUNT; check++)
        if (is_made_here((enum finding_check)check))
            buf_addf(out, "terrane_world_findings{check=\"%.*s\"} %zu\n",
                     SPAN_ARG(finding_kinds[check].name),
                     core_findings(core, (enum finding_check)check));
}
