#pragma once
/* Rooms, shards and what belongs to them as the management API shows them. Names are the
 * reference's where it has the thing. */
#include "common/base/json_out.h"
#include "world/core/rooms/registry.h"

void view_room(struct json_out *o, const char *key, const struct room *room);
void view_shard(struct json_out *o, const char *key, const struct shard *s, struct moment now);
void view_node(struct json_out *o, const char *key, const struct node *n, struct moment now);
/* With what it means and how it is mended. `by`: who found it, a "node" or a "world" process. */
void view_finding(struct json_out *o, const struct finding *f, const char *by, struct span who);
/* The same with another detail: not everybody may read what it has. */
void view_finding_as(struct json_out *o, const struct finding *f, const char *by, struct span who,
                     struct span detail);
/* {deadlineMs, rate, retryMs:[min,max]}; members that were not ordered are left out. */
void view_drain(struct json_out *o, const char *key, const struct order_drain *d);
