#pragma once
/* Settings of the programs, by the programs themselves. */
#include "world/ctl/ctl.h"

enum ended verb_config_check(struct ctl *c);
enum ended verb_config_print(struct ctl *c);
