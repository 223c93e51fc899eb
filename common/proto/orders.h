#pragma once
/* What a world wants of a node, from world to node (docs/protocol.md, "Node and world";
 * docs/design.md section 5.1): the answers to a heartbeat and to a resolve. Orders are desired
 * state: they are repeated until they hold, and following one twice changes nothing. */
#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/proto/checkup.h"

enum order_status { ORDER_ACTIVE, ORDER_MAINTENANCE, ORDER_DRAINING, ORDER_STATUS_COUNT };
extern const char *const order_status_names[ORDER_STATUS_COUNT + 1];

/* How what is left of a drained shard or node is to be closed. The all-zero struct: not at all. */
struct order_drain {
    int64_t deadline_ms; /* from now; 0: nobody is closed */
    uint64_t rate;       /* closes a second at most; 0: as many as the deadline takes */
    int64_t retry_min_ms, retry_max_ms; /* told to clients; 0: the node's default */
};

/* A session that may not be in the room. */
struct order_ban {
    struct span session;
    int64_t ttl_ms; /* from now */
};

/* How much the node is to log. Each is followed once: what the settings say after a reload stays.
 */
struct order_log {
    int64_t id;     /* 0: nothing is ordered */
    unsigned level; /* enum log_level */
    int64_t ttl_ms; /* from now; 0: until the node's settings are read again */
};

/* One shard. */
struct order {
    struct span shard_id;
    struct span room_id;
    enum order_status status;
    uint64_t max_connections;
    /* Origin of the room server. Empty: the world names none, the node's own ROOM_SERVERS count.
     * `hold`: no link at all for now, close it (first step of a move of the room). */
    struct span room_server;
    bool hold;
    bool is_private; /* its room is not public */
    struct order_drain drain;
};

struct orders {
    int64_t epoch, version; /* of the world */
    int64_t interval_ms;    /* between beats */
    bool unchanged;         /* the node has them all; there are no shards and drops in here */
    bool full;       /* shards that are not in here are dropped; else a delta on what the node
                        said to have */
    bool drain_node; /* the whole node is to drain, as `drain` says */
    struct order_drain drain;
    uint64_t others; /* other nodes that could take its shards */
    bool renew; /* rooms may have heard that its clients left: it tells them, and the world in a
                   full beat, who is here */
    struct order_log log;
    struct checkup checkup; /* asked for until a beat says that it is done; id 0: none is */
};

/* Writing: orders_open; the shards, each with its bans; orders_open_drops; the drops;
 * orders_open_guests and, by orders_add_shard, the guests, if there are any; orders_open_missing
 * and those, if there are any; orders_close.
 * With `unchanged` only orders_open, the missing and orders_close. */
void orders_open(struct buf *out, const struct orders *o);
void orders_add_shard(struct buf *out, const struct order *o, const struct order_ban *bans,
                      size_t ban_count, bool first);
void orders_open_drops(struct buf *out); /* ends the shards */
void orders_add_drop(struct buf *out, struct span shard_id, bool first);
/* Ends the drops. What follows are shards that the node does not own and has clients of: only their
 * id, room_server and hold count. */
void orders_open_guests(struct buf *out);
/* Ends what is open, be it the guests. What follows are sessions, by shards that the node owns, of
 * which a lost node cannot tell the room any more that they left; not with versions, but in each
 * answer until a beat names them in `joined` or `left`. `sessions`: a JSON array. */
void orders_open_missing(struct buf *out);
void orders_add_missing(struct buf *out, struct span shard_id, struct span sessions, bool first);
void orders_close(struct buf *out);

enum {
    ORDERS_ID_MAX = 12288,      /* bytes of a shard id, of a room id */
    ORDERS_SESSION_MAX = 12288, /* of a session id */
    ORDERS_URL_MAX = 2048,
    /* Values of the document: 10 000 shards take 200 000, each ban at each shard 3 more. Beyond it
     * a small text would fill the memory: so many take half a GiB at worst. */
    ORDERS_VALUES_MAX = 4 * 1024 * 1024,
    ORDERS_CONFLICT_VALUES_MAX = 100,
};

/* Reads an answer; spans point into *doc, which the caller frees with json_decref in every case.
 * ERR_SYNTAX: these are no orders, or more than ORDERS_VALUES_MAX. Members that it does not know
 * are ignored. */
MUST_CHECK enum err orders_read(struct orders *out, json_t **doc, struct span text);
/* What was read, in order: start with *at = 0; false at the end. *bans is for order_next_ban, NULL
 * when there are none. orders_read has checked them all. */
bool orders_next_shard(const json_t *doc, size_t *at, struct order *out, const json_t **bans);
bool order_next_ban(const json_t *bans, size_t *at, struct order_ban *out);
bool orders_next_guest(const json_t *doc, size_t *at, struct order *out);
bool orders_next_drop(const json_t *doc, size_t *at, struct span *shard_id);
/* `sessions` is for orders_next_session. */
bool orders_next_missing(const json_t *doc, size_t *at, struct span *shard_id,
                         const json_t **sessions);
bool orders_next_session(const json_t *sessions, size_t *at, struct span *id);
/* One shard by itself, as orders_add_shard writes it; false: it is none. */
bool order_read(const json_t *object, struct order *out, const json_t **bans);

/* 409: another process has the node's id. The body has an `error` for people, too. */
struct orders_conflict {
    int64_t epoch;       /* of the other */
    int64_t age_ms;      /* since it was heard */
    int64_t interval_ms; /* between beats, as in orders; 0: not told */
    struct span url;
};
void orders_conflict_add(struct buf *out, const struct orders_conflict *c);
MUST_CHECK enum err orders_conflict_read(struct orders_conflict *out, json_t **doc,
                                         struct span text);
