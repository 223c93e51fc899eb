#pragma once
/* Doing what a world wants of this node: orders are desired state, and following them twice changes
 * nothing (docs/design.md sections 4, "Moves", and 5.1). */
#include "common/base/json.h"
#include "common/proto/orders.h"

struct world;

/* Follows the orders of an answer to a beat. `doc` is what they were read from. False: they come
 * from a process that is no longer the world's owner, and nothing was done. */
MUST_CHECK bool follow_orders(struct world *w, const struct orders *o, const json_t *doc,
                              int64_t now);
