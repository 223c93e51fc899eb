#pragma once
/* worldctl doctor (docs/worldctl.md): what is wrong between here, the world, its nodes, room
 * servers and Redis, and what mends it. */
#include "world/ctl/args.h"
#include "world/ctl/ctl.h"

extern const struct flag doctor_flags[];
enum ended verb_doctor(struct ctl *c);
