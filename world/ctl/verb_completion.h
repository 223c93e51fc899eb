#pragma once
/* Words that a shell can complete. */
#include "world/ctl/ctl.h"

/* world/ctl/completion.bash, as it is. */
extern const struct span completion_bash;

enum ended verb_completion(struct ctl *c);
