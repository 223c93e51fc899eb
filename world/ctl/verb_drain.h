#pragma once
/* Clients and rooms led away from shards, nodes and room servers. */
#include "world/ctl/ctl.h"

enum ended verb_drain(struct ctl *c);
enum ended verb_undrain(struct ctl *c);
enum ended verb_move_shard(struct ctl *c);
enum ended verb_move_room(struct ctl *c);

extern const struct flag verb_drain_flags[];
extern const struct flag verb_undrain_flags[];
extern const struct flag verb_move_room_flags[];
