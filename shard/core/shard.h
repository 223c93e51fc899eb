#pragma once
/* One shard of the node: its sessions and clients, its link and what its world hears of it. A shard
 * starts with the first client or HTTP request that names it, or with an order of its world. */
#include "common/base/map.h"
#include "common/proto/orders.h"
#include "shard/core/bans.h"
#include "shard/core/drain.h"
#include "shard/core/link.h"
#include "shard/core/report.h"
#include "shard/core/seating.h"
#include "shard/core/tidings.h"

struct node;
struct world;

/* What its world says of its room. */
enum shard_privacy {
    SHARD_UNTOLD, /* nothing */
    SHARD_PUBLIC,
    SHARD_PRIVATE, /* clients have to show that they may come in (PRIVATE_ROOMS) */
};

struct shard {
    struct node *node;
    struct handle self;
    struct list in_node;
    struct span id;
    struct span room; /* in the id, or `room_text` */
    char *room_text;  /* owned; NULL: no order has named another room than the id does */
    struct world *world;
    struct list in_world;

    bool owned;               /* the orders of its world give it to this node */
    bool dropped;             /* they did, and do no more: its clients are guests */
    bool adopted;             /* nobody created it; served as long as it has clients */
    enum order_status status; /* as ordered */
    enum shard_privacy privacy;
    uint64_t named_by; /* the last set of orders that named it */

    struct map sessions; /* struct session, ghosts among them */
    struct list clients; /* struct client, in order of arrival */
    /* Those who pass have sessions and a list of their own: the link and the room know neither. */
    struct map passing_sessions;
    struct list passing;
    size_t client_count, passing_count; /* in both lists; in that one */
    size_t parting;                     /* of them, see parting.h */
    struct list partings;               /* struct parting, in the order of their beginning */
    int64_t idle_since_ms; /* without clients and requests; while it has clients: no meaning */

    struct seating seating;
    struct bans bans;
    struct drain drain;
    struct link link;
    struct tidings tidings; /* for worlds that know beats */
    struct report report;   /* for those that do not */
    char text[];            /* the id */
};

/* ERR_SYNTAX: the id, or the room in it, is empty or not UTF-8; ERR_LIMIT: too long. */
MUST_CHECK enum err shard_id_check(const struct node *n, struct span id);
/* Finds the shard or starts it. ERR_SYNTAX: the id, or the room in it, is empty or not UTF-8;
 * ERR_LIMIT: too long; ERR_FULL: max_shards are there. */
MUST_CHECK enum err shard_reach(struct node *n, struct span id, int64_t now, struct shard **out);
/* The same for what a world orders: an id that does not name that world is one of it, too. */
MUST_CHECK enum err shard_reach_in(struct node *n, struct span id, struct world *world, int64_t now,
                                   struct shard **out);
/* Orders name it, or do so no more. */
void shard_own(struct shard *shard);
void shard_drop(struct shard *shard, int64_t now);
/* An order names its room; mostly the one that its id names. */
void shard_name_room(struct shard *shard, struct span room, int64_t now);
/* How many clients go by the link. */
static inline size_t shard_linked(const struct shard *shard)
{
    return shard->client_count - shard->passing_count;
}
/* How many sessions have a socket. */
uint64_t shard_sessions(const struct shard *shard);
/* Nobody has used it for so long that it may end, but for the orders of its world. */
bool shard_is_idle(const struct shard *shard, int64_t now);
/* Ends what runs for it, and frees it. */
void shard_end(struct shard *shard, int64_t now);
/* The world has answered a report. A shard that nobody uses and the world does not know is
 * forgotten then. */
void shard_reported(struct shard *shard, bool confirmed, int64_t now);
/* Frees it and what it holds, without telling anybody. */
void shard_free(struct shard *shard);

/* Asserts what must always hold. */
void shard_check(const struct shard *shard);
/* To be called after every change: checks it in debug builds. */
void shard_changed(const struct shard *shard);
