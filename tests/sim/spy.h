#pragma once
/* What a node's core knows, read without changing it; its own types are not seen outside. */
#include "common/base/slots.h"
#include "common/base/span.h"

struct node;

struct spied_shard {
    struct span id;
    bool owned, is_bounded, is_draining;
    uint64_t max, clients, kept;
    uint64_t doubles; /* of the clients: they share the seat of another socket of their session */
};
bool spy_shard(const struct node *n, struct span id, struct spied_shard *out);
/* The shards in the order of their start: start with *at = 0; false at the end. */
bool spy_next_shard(const struct node *n, size_t *at, struct spied_shard *out);
/* The orders that it follows of the world of that id: of which epoch, and which version. False: it
 * does not know the world. */
bool spy_orders(const struct node *n, struct span world, int64_t *epoch, int64_t *version);
int64_t spy_epoch(const struct node *n); /* of the process, as told in beats */
bool spy_is_closing(const struct node *n);
/* The session has neither a socket in the shard nor a seat that is kept for it. */
bool spy_is_newcomer(const struct node *n, struct span shard, struct span session);
/* The room of a link that is dialled or stands. */
struct span spy_room(const struct node *n, struct handle link);
/* The link of the shard, if it is dialled or stands. */
bool spy_link(const struct node *n, struct span shard, struct handle *out);
