#pragma once
/* What operators' machines ask: /livez /readyz /metrics /version. */
#include "world/io/metrics.h"

struct probe_answer {
    int status;
    struct span headers; /* static */
};

/* True for a probe that is management's: /metrics. */
bool probes_are_inside(struct span path);
/* True when the path is a probe's; then *answer is filled and `body` holds its text. */
bool probes_answer(struct metrics *m, struct span path, const struct http_head *head, bool ready,
                   struct buf *body, struct probe_answer *answer);
