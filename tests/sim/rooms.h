#pragma once
/* The room servers, as forgetful as they may be: a room shows whoever it has heard to have come,
 * by whatever link, until it hears that he left. A link that falls ends nobody. */
#include "common/base/span.h"
#include "tests/sim/sim.h"

struct station;

struct rooms *rooms_new(struct sim *s);
void rooms_free(struct rooms *r);
/* A text of a link has arrived. */
void rooms_hear(struct rooms *r, struct span room, struct span text);
/* A node is about to die, or the world, which forgets then whom others left behind. */
void rooms_lose_node(struct rooms *r, const struct station *st);
void rooms_lose_world(struct rooms *r);
/* All is well for long: whoever the world knew to be with a node that died has a socket, or no room
 * shows it. */
void rooms_check(const struct rooms *r);
