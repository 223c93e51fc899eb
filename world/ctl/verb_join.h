#pragma once
/* A client in a room, from the keyboard. */
#include "world/ctl/ctl.h"

extern const struct flag join_flags[];
enum ended verb_join(struct ctl *c);
