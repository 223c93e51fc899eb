#pragma once
/* Who this node is: its name and its addresses, where the settings leave them to it, and what
 * /version tells of it (docs/design.md section 2). */
#include "common/net/doors.h"
#include "shard/io/settings.h"

struct identity {
    char *id, *url, *internal_url; /* owned */
};

/* Makes one of NODE_ID, INTERNAL_URL and NODE_URL. What is not set is filled in: the name by the
 * host's and the port, the internal URL by where the doors listen, the public one by the internal
 * one, or by the public door when the internal one is another. Ended by identity_clear. */
void identity_init(struct identity *i, const struct settings *s, const struct doors *doors);
void identity_clear(struct identity *i);
/* Appends the body of /version; `world_ids` is WORLD_IDS. */
void identity_add_version(struct buf *out, const struct identity *i, struct span world_ids);
