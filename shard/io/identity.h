#pragma once
/* Who this node is: its name and its addresses, where the settings leave them to it, and what
 * /version tells of it (docs/design.md section 2). */
#include "common/net/listener.h"
#include "shard/io/settings.h"

/* Fills in what is not set: NODE_ID by the host's name and the port, INTERNAL_URL by where `door`
 * listens, NODE_URL by the internal one. */
void identity_complete(struct settings *s, const struct listener *door);
/* Appends the body of /version, of settings that are complete. */
void identity_add_version(struct buf *out, const struct settings *s);
