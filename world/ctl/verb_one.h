#pragma once
/* One thing of a world: shown, made, changed, deleted. */
#include "world/ctl/ctl.h"

enum ended verb_rooms_show(struct ctl *c);
enum ended verb_shards_show(struct ctl *c);
enum ended verb_nodes_show(struct ctl *c);
enum ended verb_servers_show(struct ctl *c);

enum ended verb_rooms_delete(struct ctl *c);
enum ended verb_shards_delete(struct ctl *c);
enum ended verb_nodes_delete(struct ctl *c);
enum ended verb_servers_delete(struct ctl *c);

enum ended verb_shards_add(struct ctl *c);
enum ended verb_shards_set(struct ctl *c);
enum ended verb_servers_add(struct ctl *c);
enum ended verb_scale(struct ctl *c);
enum ended verb_maintenance(struct ctl *c);
enum ended verb_kick(struct ctl *c);
enum ended verb_ban(struct ctl *c);
enum ended verb_unban(struct ctl *c);

extern const struct flag verb_delete_flags[];
extern const struct flag verb_shards_add_flags[];
extern const struct flag verb_shards_set_flags[];
extern const struct flag verb_scale_flags[];
extern const struct flag verb_maintenance_flags[];
extern const struct flag verb_ban_flags[];
