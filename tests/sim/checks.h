#pragma once
/* What must hold, whatever happens (docs/design.md section 4). */
#include "tests/sim/fleet.h"

/* After each call into a node: its own invariants, its sockets, its orders. */
void checks_station(struct station *st);
/* After orders: a node that follows the newest has what they say and nothing else. */
void checks_owned(struct station *st);
/* A client has been let in; `is_new`: it had no seat there before. */
void checks_admitted(struct station *st, struct span shard, bool is_new);
/* After each step: what the world itself says must hold, what each node owns; no shard has two
 * owners for long; nobody polite is one too many. */
void checks_cluster(struct sim *s);
/* At the end, when everything had time to settle. */
void checks_converged(struct sim *s);
