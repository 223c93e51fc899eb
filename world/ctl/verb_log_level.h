#pragma once
/* The verb log-level. */
#include "world/ctl/ctl.h"

extern const struct flag log_level_flags[];
/* What a process writes to its log, from now on or for a time. */
enum ended verb_log_level(struct ctl *c);
