#pragma once
/* Who decides for a world when there is one world process: always this one. */
#include "world/core/port.h"

struct owner_port owner_local_port(void);
