#pragma once
/* How much is wrong, by check: each check that nodes make is a sample, whether it found anything or
 * not. */
#include "common/proto/finding.h"

/* Appends terrane_shard_findings. */
void metrics_add_findings(struct buf *out, const struct findings *f, bool openmetrics);
