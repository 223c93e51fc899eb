#pragma once
/* Lists of what a world has. */
#include "world/ctl/ctl.h"

enum ended verb_rooms_list(struct ctl *c);
enum ended verb_shards_list(struct ctl *c);
enum ended verb_nodes_list(struct ctl *c);
enum ended verb_servers_list(struct ctl *c);
enum ended verb_bans(struct ctl *c);

/* Flags: --limit; and of shards --room, --status, --node. */
extern const struct flag verb_list_flags[];
extern const struct flag verb_shards_list_flags[];
