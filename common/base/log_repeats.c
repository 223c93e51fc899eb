/* The table of events that were logged. There are about a hundred names, and few lines: they are
 * looked for one after the other. */
#include "common/base/log_repeats.h"

#include <string.h>

static const struct rate_limit limit = {.per_s = LOG_REPEATS_PER_S, .burst = LOG_REPEATS_BURST};

struct log_repeat *log_repeats_of(struct log_repeats *r, const char *event)
{
    for (size_t i = 0; i < r->used; i++) {
        if (r->events[i].event == event || strcmp(r->events[i].event, event) == 0)
            return &r->events[i];
    }
    if (r->used == LOG_REPEATS_EVENTS)
        return &r->events[LOG_REPEATS_EVENTS - 1];
    struct log_repeat *e = &r->events[r->used++];
    *e = (struct log_repeat){.event = r->used < LOG_REPEATS_EVENTS ? event : "others"};
    return e;
}

bool log_repeat_take(struct log_repeat *e, int level, int64_t now)
{
    if (rate_take(&e->rate, &limit, 1, now))
        return true;
    e->level = level;
    if (e->count++ == 0 && e->told_ms == 0)
        e->told_ms = now;
    return false;
}

uint64_t log_repeat_due(struct log_repeat *e, int64_t now)
{
    uint64_t count = e->count;

    if (count == 0 || now - e->told_ms < LOG_REPEATS_TOLD_MS)
        return 0;
    e->count = 0;
    e->told_ms = now;
    return count;
}
