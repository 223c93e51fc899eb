#pragma once
/* One shard of the node: its sessions and clients, its link and its reports. A shard starts with
 * the first client or HTTP request that names it. */
#include "common/base/map.h"
#include "common/proto/orders.h"
#include "shard/core/bans.h"
#include "shard/core/drain.h"
#include "shard/core/link.h"
#include "shard/core/report.h"
#include "shard/core/seating.h"

struct node;

struct shard {
    struct node *node;
    struct handle self;
    struct list in_node;
    struct span id, room, world; /* in `text`, or the node's own world */

    struct map sessions; /* struct session, ghosts among them */
    struct list clients; /* struct client, in order of arrival */
    size_t client_count;
    size_t parting;        /* of them, see parting.h */
    struct list partings;  /* struct parting, in the order of their beginning */
    int64_t idle_since_ms; /* without clients and requests; while it has clients: no meaning */

    bool owned;               /* orders give it to this node */
    bool adopted;             /* nobody created it; served as long as it has clients */
    enum order_status status; /* as ordered */
    struct seating seating;
    struct bans bans;
    struct drain drain;
    struct link link;
    struct report report;
    char text[]; /* the id */
};

/* ERR_SYNTAX: the id, or the room in it, is empty or not UTF-8; ERR_LIMIT: too long. */
MUST_CHECK enum err shard_id_check(const struct node *n, struct span id);
/* Finds the shard or starts it. ERR_SYNTAX: the id, or the room in it, is empty or not UTF-8;
 * ERR_LIMIT: too long; ERR_FULL: max_shards are there. */
MUST_CHECK enum err shard_reach(struct node *n, struct span id, int64_t now, struct shard **out);
/* The world has answered a report. A shard that nobody uses and the world does not know is
 * forgotten then. */
void shard_reported(struct shard *shard, bool confirmed, int64_t now);
/* Frees it and what it holds, without telling anybody. */
void shard_free(struct shard *shard);

/* Asserts what must always hold. */
void shard_check(const struct shard *shard);
/* To be called after every change: checks it in debug builds. */
void shard_changed(const struct shard *shard);
