#pragma once
/* What Redis does for us in one step each, as Lua (docs/redis.md). The words that they are called
 * with, and their answers, are told at the top of each file. Texts end in a NUL beyond their
 * length. */
#include "common/base/span.h"

extern const struct span tend_lua;   /* leases; tend.c's */
extern const struct span commit_lua; /* writing to a world */
extern const struct span load_lua;   /* reading a world */
