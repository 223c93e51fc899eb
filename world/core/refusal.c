/* The table of reasons. */
#include "world/core/refusal.h"

static const struct {
    const char *name;
    int status;
} rows[REFUSAL_COUNT] = {
    [REFUSAL_NONE] = {"none", 0},
    [REFUSAL_PATH] = {"path", 404},
    [REFUSAL_WORLD_ID] = {"world_id", 404},
    [REFUSAL_ROUTE] = {"route", 404},
    [REFUSAL_ESCAPE] = {"escape", 400},
    [REFUSAL_DENIED] = {"denied", 403},
    [REFUSAL_EXPIRED] = {"expired", 403},
    [REFUSAL_BODY_EMPTY] = {"body_empty", 400},
    [REFUSAL_BODY_MALFORMED] = {"body_malformed", 400},
    [REFUSAL_BODY_INVALID] = {"body_invalid", 400},
    [REFUSAL_ROOM_ID_MISSING] = {"room_id_missing", 400},
    [REFUSAL_ROOM_ID_TOO_LONG] = {"room_id_too_long", 400},
    [REFUSAL_SESSION_TOO_LONG] = {"session_too_long", 400},
    [REFUSAL_TICKET_NAMES] = {"ticket_names", 400},
    [REFUSAL_PRIVATE_TOKEN] = {"private_token", 401},
    [REFUSAL_PRIVATE] = {"private", 403},
    [REFUSAL_ROOM_NOT_MADE] = {"room_not_made", 404},
    [REFUSAL_ROOM_MISSING] = {"room_missing", 404},
    [REFUSAL_NO_SHARDS] = {"no_shards", 404},
    [REFUSAL_FULL] = {"full", 503},
    [REFUSAL_NO_ACTIVE] = {"no_active", 503},
    [REFUSAL_CREATE_MAX] = {"create_max", 429},
    [REFUSAL_CREATE_RATE] = {"create_rate", 429},
    [REFUSAL_WORLDS_MAX] = {"worlds_max", 429},
    [REFUSAL_WORLDS_RATE] = {"worlds_rate", 429},
    [REFUSAL_MIN_OVER_MAX] = {"min_over_max", 400},
    [REFUSAL_TOO_MANY_SHARDS] = {"too_many_shards", 400},
    [REFUSAL_OVER_MAX_SHARDS] = {"over_max_shards", 400},
    [REFUSAL_SHARD_MISSING] = {"shard_missing", 404},
    [REFUSAL_SHARD_RETIRED] = {"shard_retired", 404},
    [REFUSAL_NO_NODE] = {"no_node", 503},
    [REFUSAL_CONFLICT] = {"conflict", 409},
    [REFUSAL_SETTLING] = {"settling", 503},
    [REFUSAL_SHARD_FOREIGN] = {"shard_foreign", 400},
    [REFUSAL_NOT_OWNER] = {"not_owner", 421},
    [REFUSAL_BROKEN] = {"broken", 503},
    [REFUSAL_STORE] = {"store", 507},
    [REFUSAL_METHOD] = {"method", 405},
    [REFUSAL_READ_ONLY] = {"read_only", 403},
    [REFUSAL_QUERY] = {"query", 400},
    [REFUSAL_IN_USE] = {"in_use", 409},
    [REFUSAL_NODE_MISSING] = {"node_missing", 404},
    [REFUSAL_NODE_UNUSABLE] = {"node_unusable", 409},
    [REFUSAL_BAN_MISSING] = {"ban_missing", 404},
    [REFUSAL_BANS_FULL] = {"bans_full", 409},
    [REFUSAL_EXISTS] = {"exists", 409},
    [REFUSAL_SERVER_MISSING] = {"server_missing", 404},
    [REFUSAL_SERVER_ORIGIN] = {"server_origin", 400},
    [REFUSAL_SERVER_UNUSABLE] = {"server_unusable", 409},
    [REFUSAL_SERVERS_FULL] = {"servers_full", 409},
    [REFUSAL_READERS] = {"readers", 429},
    [REFUSAL_HANDSHAKE] = {"handshake", 400},
    [REFUSAL_CROWDED] = {"crowded", 503},
    [REFUSAL_FEED_WORLD_ID] = {"feed_world_id", 0},
    [REFUSAL_FEED_DENIED] = {"feed_denied", 0},
    [REFUSAL_FEED_SHARD] = {"feed_shard", 0},
};

const char *refusal_name(enum refusal why)
{
    return rows[why].name;
}

int refusal_status(enum refusal why)
{
    return rows[why].status;
}
