#pragma once
/* The admin feed of a world (docs/protocol.md, "World, admin WebSocket"; docs/reference.md section
 * 3): what its admins are told of changes, at most every FEED_THROTTLE_MS. After a quiet spell the
 * first changed field goes out alone and at once; everything that changes in the time that follows
 * goes out in one frame at its end; then the feed is quiet again. Changes are bits on rooms and
 * shards plus a list of the changed ones, so a frame costs what changed, is rendered once for all
 * admins, and without admins nothing is done at all. */
#include "common/base/buf.h"
#include "common/base/list.h"
#include "common/base/slots.h"
#include "world/core/port.h"

enum { FEED_THROTTLE_MS = 500, FEED_ID_LEN = 8 };

struct room;
struct shard;
struct world;

/* Embedded in rooms and shards: what of it has not been announced. */
struct feed_item {
    struct list node;
    unsigned fields;
};

/* One world's. */
struct feed {
    struct handle *sockets;
    size_t count, cap;
    struct list rooms, shards; /* changed and not announced */
    struct buf removed;        /* the same for removed shards, as JSON members */
    struct buf removed_rooms;  /* and rooms */
    struct list node;          /* in the hub's throttled; not linked: quiet */
    int64_t due_ms;
};

/* All worlds'. */
struct feed_hub {
    const struct feed_port *port; /* borrowed */
    struct list throttled;        /* the earliest due first */
    struct buf text;              /* scratch */
};

void feed_hub_init(struct feed_hub *hub, const struct feed_port *port);
void feed_hub_clear(struct feed_hub *hub);
void feed_init(struct feed *f);
void feed_clear(struct feed *f);

/* A new admin: is sent the whole registry, under the socket's own id. */
void feed_join(struct feed_hub *hub, struct world *w, struct handle socket,
               const char id[FEED_ID_LEN]);
void feed_leave(struct world *w, struct handle socket);

/* Changes, as the registry's watch hears of them. */
void feed_room_changed(struct feed_hub *hub, struct room *room, unsigned fields, int64_t now_ms);
void feed_shard_changed(struct feed_hub *hub, struct shard *shard, unsigned fields, int64_t now_ms);
void feed_room_removed(struct feed_hub *hub, struct room *room, int64_t now_ms);
void feed_shard_removed(struct feed_hub *hub, struct shard *shard, int64_t now_ms);

/* Sends what is due. */
void feed_hub_advance(struct feed_hub *hub, int64_t now_ms);
/* When something is due; INT64_MAX: never. */
int64_t feed_hub_due_ms(const struct feed_hub *hub);
