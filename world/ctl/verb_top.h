#pragma once
/* The world at a glance, live, on the whole terminal. */
#include "world/ctl/ctl.h"

enum ended verb_top(struct ctl *c);
