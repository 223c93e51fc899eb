#pragma once
/* What keeps one event from filling the log: a token bucket for each name. What is not written is
 * counted, and told as `log.suppressed`. The table is bounded, as names are the program's own. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/rate.h"

enum {
    LOG_REPEATS_EVENTS = 192, /* the rest share one bucket */
    LOG_REPEATS_BURST = 20,   /* lines of an event at once */
    LOG_REPEATS_PER_S = 10,   /* and then each second */
    LOG_REPEATS_TOLD_MS = 1000,
};

struct log_repeat {
    const char *event; /* borrowed for ever */
    struct rate rate;
    int level;       /* of the last line that was suppressed */
    uint64_t count;  /* suppressed and not told yet */
    int64_t told_ms; /* when that was told last */
};

/* The all-zero struct is valid and empty. */
struct log_repeats {
    struct log_repeat events[LOG_REPEATS_EVENTS];
    size_t used;
};

/* The state of `event`, whose lines come under its limit. */
struct log_repeat *log_repeats_of(struct log_repeats *r, const char *event);
/* Whether a line may be written now (monotonic ms); if not, it is counted. */
bool log_repeat_take(struct log_repeat *e, int level, int64_t now);
/* How many are to be told of before the line that is written now; 0: none, or told within the last
 * second. The caller tells them: they are counted no more. */
uint64_t log_repeat_due(struct log_repeat *e, int64_t now);
