#pragma once
/* Lists of what a world has. */
#include "world/ctl/ctl.h"

enum ended verb_rooms_list(struct ctl *c);
