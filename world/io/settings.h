#pragma once
/* The settings of a world process: one table of rows, and the values it fills. */
#include "common/base/config.h"

/* What the table fills; strings are owned. */
struct settings {
    char *host;
    int64_t port;
    char *jwt_secret;
    int64_t jwt_alg; /* enum token_alg */
    char *shard_secret;
    char *url_template;
    char *trusted_proxies;
    int64_t max_room_shards;
    int64_t header_ms, body_ms, idle_ms;
    int64_t body_max;
    int64_t max_connections; /* 0: from the descriptor limit, see settings_max_connections */
    int64_t message_max, ping_ms, pong_ms, feed_queue;
    int64_t log_level, log_format; /* enum log_level, enum log_format */
    /* Settings that this version knows but can only have off. */
    int64_t seat_ttl_ms;
    bool require_ticket;
    char *private_rooms, *client_rate, *room_servers;
    char *redis_url, *data_dir, *store_sync, *admin_listen;
};

extern const struct config_table settings_table;

/* `setting` when it is not 0, else what a descriptor limit leaves for clients: all but min(1 024, a
 * quarter). */
size_t settings_max_connections(int64_t setting, uint64_t descriptors);
