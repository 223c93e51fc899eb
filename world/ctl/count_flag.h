#pragma once
#include "world/ctl/ctl.h"

/* A flag's number into *out, which stays as it is without the flag. False: it is none from `min` to
 * `max`, and that was said (ENDED_USAGE). */
bool count_flag(const struct ctl *c, const char *flag, uint64_t min, uint64_t max, uint64_t *out);
