#pragma once
/* Values of flags. All say on stderr what is wrong with one and answer false: ENDED_USAGE. */
#include "world/ctl/ctl.h"

/* A whole number; *out stays as it is without the flag. */
MUST_CHECK bool options_count(const struct ctl *c, const char *flag, uint64_t min, uint64_t max,
                              uint64_t *out);
/* 500ms, 30s, 10m, 2h, 1d; a plain number is seconds. *ms stays as it is without the flag. */
MUST_CHECK bool options_duration(const struct ctl *c, const char *flag, int64_t *ms);
/* An argument that is a whole number. */
MUST_CHECK bool options_number(const char *what, const char *text, uint64_t min, uint64_t max,
                               uint64_t *out);
