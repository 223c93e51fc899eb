#pragma once
/* What befalls a cluster: deaths, restarts, stalls, partitions, clocks that jump; and operators. */
#include "tests/sim/sim.h"

void chaos_step(struct sim *s);
/* All is well from now on: everybody is up, and can be reached. */
void chaos_end(struct sim *s);
