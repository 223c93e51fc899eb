#pragma once
/* A world's records, out and in. */
#include "world/ctl/ctl.h"

enum ended verb_export(struct ctl *c);
enum ended verb_import(struct ctl *c);

extern const struct flag verb_import_flags[];
