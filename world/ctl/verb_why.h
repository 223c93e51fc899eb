#pragma once
/* Why a client goes where it goes. */
#include "world/ctl/ctl.h"

enum ended verb_explain(struct ctl *c);
enum ended verb_connect(struct ctl *c);

extern const struct flag verb_explain_flags[];
extern const struct flag verb_connect_flags[];
