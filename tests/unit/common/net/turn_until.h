#pragma once
/* Waiting for what a loop brings, in tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/net/loop.h"

enum { TURN_UNTIL_MS = 10000, TURN_UNTIL_STEP_MS = 5 };

/* Turns the loop until the condition holds; fails the test after TURN_UNTIL_MS. */
#define TURN_UNTIL(loop, condition)                                                                \
    do {                                                                                           \
        for (int64_t end_ms_ = clock_mono_ms() + TURN_UNTIL_MS; !(condition);) {                   \
            if (clock_mono_ms() > end_ms_)                                                         \
                fail_msg("waited in vain for %s", #condition);                                     \
            loop_turn((loop), TURN_UNTIL_STEP_MS);                                                 \
        }                                                                                          \
    } while (0)
