#pragma once
/* What the routes of the API do: one function each. */
#include "world/core/api/api_body.h"
#include "world/core/api/call.h"

void verb_connect(struct call *call);
void verb_register_room(struct call *call);
void verb_update_shard(struct call *call);
void verb_scale_room(struct call *call);
void verb_heartbeat(struct call *call);
void verb_resolve(struct call *call);

/* True when the body can be used; else the request has been answered. `text` is the error of one
 * with issues. */
bool verb_accept_body(struct call *call, enum body_verdict verdict, struct span text,
                      const struct issues *issues);
