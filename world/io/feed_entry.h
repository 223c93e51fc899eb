#pragma once
/* Where feed sockets come in: who may come, and whether here or at the process that decides. */
#include "common/proto/hop_sign.h"
#include "world/io/server.h"

/* True when the request was an upgrade to a feed socket; then it is over. `from`: who passed it on
 * to here, NULL: nobody. */
bool feed_entry_take(struct server_door *door, struct http_exchange *x,
                     const struct hop_signed *from);
/* This process decides for its world by now. */
void feed_entry_accept(struct server *s, struct http_exchange *x);
