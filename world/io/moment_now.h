#pragma once
/* The time, read for a call into core. */
#include "common/base/clock.h"
#include "common/net/loop.h"
#include "world/core/moment.h"

static inline struct moment moment_now(const struct loop *l)
{
    return (struct moment){.mono_ms = loop_now(l), .wall_ms = clock_wall_ms()};
}
