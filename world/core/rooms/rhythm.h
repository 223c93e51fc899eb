#pragma once
/* How often a shard without a node reports, and when its silence says that it is gone
 * (docs/design.md section 4, "Failure detection"). */
#include <stdbool.h>
#include <stdint.h>

enum {
    RHYTHM_GAPS = 7, /* between the last 8 reports */
    RHYTHM_QUIET_MIN_MS = 90 * 1000,
};

/* The all-zero struct: nothing has been reported. */
struct rhythm {
    uint32_t gaps_ms[RHYTHM_GAPS];
    uint8_t reports; /* up to 8 are counted */
    uint8_t at;      /* of the next gap */
};

/* A report, so long after the one before. */
void rhythm_note(struct rhythm *r, int64_t gap_ms);
/* Silence from which on nobody is sent there; INT64_MAX: not known yet. */
int64_t rhythm_quiet_ms(const struct rhythm *r);
