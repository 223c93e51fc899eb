#pragma once
/* What the routes of the management API do: one function each. */
#include "world/core/manage/manage.h"

/* ---- manage_worlds.c */
void manage_list_worlds(struct manage *m);

/* ---- manage_rooms.c */
void manage_list_rooms(struct manage *m);
void manage_get_room(struct manage *m);
void manage_put_room(struct manage *m);
void manage_delete_room(struct manage *m);
void manage_scale_room(struct manage *m);
void manage_add_shards(struct manage *m);

/* ---- manage_shards.c */
void manage_list_shards(struct manage *m);
void manage_get_shard(struct manage *m);
void manage_patch_shard(struct manage *m);
void manage_delete_shard(struct manage *m);
void manage_drain_shard(struct manage *m);
/* undrain and activate. */
void manage_activate_shard(struct manage *m);
void manage_maintain_shard(struct manage *m);
/* The body of a drain: {deadlineMs?, rate?, retryMs?: [min, max]}. False: the request has been
 * answered. */
bool manage_read_drain(struct manage *m, struct order_drain *out);

/* Answers with the shard once it is stored. */
void manage_answer_shard(struct manage *m, const struct shard *s);

/* ---- manage_nodes.c */
void manage_list_nodes(struct manage *m);
void manage_get_node(struct manage *m);
void manage_drain_node(struct manage *m);
void manage_undrain_node(struct manage *m);
void manage_delete_node(struct manage *m);
void manage_move_shard(struct manage *m);
/* NULL: there is none, and the request has been answered. */
struct node *manage_node(struct manage *m, struct span id);
/* Answers with the node; nothing has changed that is stored. */
void manage_answer_node(struct manage *m, const struct node *n);

/* ---- manage_log.c */
void manage_set_log_level(struct manage *m);
void manage_set_node_log_level(struct manage *m);

/* ---- manage_servers.c */
void manage_list_servers(struct manage *m);
void manage_get_server(struct manage *m);
void manage_put_server(struct manage *m);
void manage_delete_server(struct manage *m);
void manage_move_room(struct manage *m);

/* ---- manage_bans.c */
void manage_list_bans(struct manage *m);
void manage_get_ban(struct manage *m);
void manage_put_ban(struct manage *m);
void manage_delete_ban(struct manage *m);
void manage_kick(struct manage *m);

/* ---- manage_export.c, manage_import.c */
void manage_export(struct manage *m);
void manage_import(struct manage *m);

/* ---- manage_events.c */
void manage_open_events(struct manage *m);

/* ---- manage_overview.c */
void manage_show_overview(struct manage *m);
void manage_show_history(struct manage *m);

/* ---- manage_findings.c: what is wrong; and this process, which is never passed on */
void manage_list_findings(struct manage *m);
void manage_begin_checkup(struct manage *m);
void manage_show_process(struct manage *m);

/* ---- manage_explain.c: what is behind a placement; changes nothing */
void manage_explain_room(struct manage *m);
void manage_show_seats(struct manage *m);
