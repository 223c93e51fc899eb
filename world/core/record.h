#pragma once
/* Rooms and shards as what the store keeps: their values as JSON texts, written and read back
 * (docs/design.md section 7). Members that are not known are ignored, so that an older version can
 * read what a newer one of the same schema wrote. */
#include "common/base/json.h"
#include "world/core/rooms/registry.h"

/* The names under which kinds are stored, by enum record_kind; NULL-terminated. */
extern const char *const record_kind_names[RECORD_COUNT + 1];

/* The value of a room's record appended to `out`; its key is the room's name. */
void record_add_room(struct buf *out, const struct room *room);
/* The same for a shard, whose key is its id. */
void record_add_shard(struct buf *out, const struct shard *shard);

/* ERR_SYNTAX: a member is missing, of another type or out of bounds, or it is no JSON object. */
MUST_CHECK enum err record_read_room(struct span value, struct room_settings *out);
/* Where the same record says that the room is. */
struct assignment_record {
    struct span server, next; /* borrowed from doc; empty: none */
    bool closing;
    json_t *doc; /* the caller frees it with json_decref, in every case */
};
MUST_CHECK enum err record_read_assignment(struct span value, struct assignment_record *out);

struct shard_record {
    struct span room, url, node; /* borrowed from doc */
    uint64_t max, open;
    struct order_drain drain;
    int64_t drain_until_ms;
    enum shard_status status;
    json_t *doc;
};
/* The same for a shard. With ERR_OK the caller clears it by shard_record_clear. */
MUST_CHECK enum err record_read_shard(struct span value, struct shard_record *out);
/* The same for a node, whose key is its id, and for a retired id, which is its own key. */
struct node;
void record_add_node(struct buf *out, const struct node *n);
void record_add_retired(struct buf *out, int64_t until_ms);
struct node_record {
    struct span url, internal_url; /* borrowed from doc */
    uint64_t max_connections;
    bool is_drained;
    struct order_drain drain; /* how */
    int64_t drain_until_ms;   /* wall time; counts when there is a deadline */
    json_t *doc;              /* the caller frees it with json_decref, in every case */
};
MUST_CHECK enum err record_read_node(struct span value, struct node_record *out);
/* The same for a room server, whose key is its origin. */
void record_add_server(struct buf *out, const struct world_server *at);
MUST_CHECK enum err record_read_server(struct span value, bool *registered, bool *draining);
MUST_CHECK enum err record_read_retired(struct span value, int64_t *until_ms);
void shard_record_clear(struct shard_record *r);
