#pragma once
/* Admins on the feeds of worlds; what io calls is in core.h. */
#include "world/core/core.h"

/* Closes and forgets those of the world, which goes. */
void admins_drop(struct core *core, const struct world *w);
