#pragma once
/* Numbers with a unit behind them: "250ms", "64KiB". */
#include "common/base/span.h"

struct measure_unit {
    const char *name; /* "": a number alone */
    int64_t factor;
};

/* Digits, then one of `count` units; *out is their product.
 * ERR_SYNTAX: something else; ERR_LIMIT: more than *out can hold. */
MUST_CHECK enum err measure_read(struct span text, const struct measure_unit *units, size_t count,
                                 int64_t *out);
