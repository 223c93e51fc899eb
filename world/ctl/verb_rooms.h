#pragma once
/* Rooms made and changed, one by one and by a file. */
#include "world/ctl/ctl.h"

enum ended verb_rooms_create(struct ctl *c);
enum ended verb_rooms_set(struct ctl *c);
enum ended verb_rooms_apply(struct ctl *c);

extern const struct flag verb_rooms_create_flags[];
extern const struct flag verb_rooms_apply_flags[];
