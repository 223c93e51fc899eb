#pragma once
/* A world on one screen. */
#include "world/ctl/ctl.h"

enum ended verb_status(struct ctl *c);
