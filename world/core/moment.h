#pragma once
/* The time of a call, read by io once and handed to core: silence and throttles are judged by the
 * monotonic clock, what others are told is wall time. */
#include <stdint.h>

struct moment {
    int64_t mono_ms;
    int64_t wall_ms; /* Unix time */
};
