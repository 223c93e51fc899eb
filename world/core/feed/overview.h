#pragma once
/* A world on one line: sums of rooms, shards, nodes, room servers and seats, and how the process
 * is that decides for it (docs/protocol.md, "Management API"). Costs as much as there are nodes and
 * room servers, whatever number of shards. */
#include "common/base/buf.h"
#include "world/core/moment.h"
#include "world/core/pulse.h"

struct world;
struct json_out;

/* Appends it, a JSON object. */
void overview_add(struct buf *out, const struct world *w, const struct pulse *p, struct moment now);
/* The same in two parts: the time at which it was so, */
void overview_add_head(struct buf *out, const struct world *w, struct moment now);
/* and what was so, from the comma to the last brace: when two are the same, nothing has changed. */
void overview_add_rest(struct buf *out, const struct world *w, const struct pulse *p);
/* Writes the member `findings`: how many of each level, with those of its nodes and the process. */
void overview_view_findings(struct json_out *o, const struct world *w, const struct pulse *p);
