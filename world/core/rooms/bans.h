#pragma once
/* The sessions that may not be in a room for a while. Nodes keep them out: orders tell them, shard
 * by shard; nothing else looks here. Stored, and forgotten when they end. */
#include "common/base/json.h"
#include "common/base/wheel.h"
#include "common/proto/orders.h"
#include "world/core/moment.h"

enum {
    BANS_MAX = 1000,     /* of a room: all of them go to each of its nodes */
    BANS_KICK_MS = 5000, /* who is kicked may come back after it */
};

struct registry;
struct room;

struct ban {
    struct span session; /* owned */
    struct room *room;
    uint64_t serial;  /* grows with each ban of the registry */
    int64_t until_ms; /* wall time */
    struct timer end;
    struct list in_room;
};

/* Embedded in a room. */
struct bans {
    struct list list; /* the oldest first */
    size_t count;
};

void room_init_bans(struct room *room);
/* The room goes; nothing is told. */
void room_clear_bans(struct registry *r, struct room *room);
/* The same, and they are stored no more. */
void bans_forget(struct registry *r, struct room *room);

/* Has all of them stored, whatever is stored of them. */
void bans_keep(struct registry *r, const struct room *room);

/* NULL: it may be there. */
struct ban *ban_find(const struct room *room, struct span session);
/* Bans the session, or changes its ban, until that wall time; tells the nodes. NULL: the room has
 * BANS_MAX already. */
struct ban *ban_put(struct registry *r, struct room *room, struct span session, int64_t until_ms,
                    struct moment now);
/* It may be there again. */
void ban_remove(struct registry *r, struct ban *b);
/* From the store: nobody is told. Nothing happens when it is over or is there already. */
void ban_restore(struct registry *r, struct room *room, struct span session, int64_t until_ms,
                 struct moment now);

/* What orders say of them: as many as the room has (NULL: none). The caller frees the list; the
 * sessions in it are borrowed. */
struct order_ban *bans_order(const struct room *room, struct moment now);

/* How a ban is stored: the key is made of room and session. */
void ban_add_key(struct buf *out, const struct ban *b);
void ban_add_record(struct buf *out, const struct ban *b);
struct ban_record {
    struct span room, session; /* borrowed from doc */
    int64_t until_ms;
    json_t *doc; /* the caller frees it with json_decref, in every case */
};
MUST_CHECK enum err ban_read_record(struct span value, struct ban_record *out);
