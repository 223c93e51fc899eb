#pragma once
/* --help, from the table of verbs. */
#include "world/ctl/verbs.h"

/* Of all verbs; `group` not NULL: of those that begin with it. */
void help_all(struct buf *out, const char *group);
void help_verb(struct buf *out, const struct verb *v);
