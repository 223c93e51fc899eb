#pragma once
/* The settings of a shard process: one table of rows, and the values it fills. */
#include "common/base/config.h"
#include "common/proto/addr.h"

enum http_proxy_path { PROXY_PATH_ROOM, PROXY_PATH_NESTED };

/* What the table fills; strings are owned. */
struct settings {
    char *host;
    int64_t port;
    char *node_id;
    char *shard_secret;
    char *world_urls, *world_id, *world_ids, *internal_url, *room_servers;
    int64_t world_protocol;
    int64_t report_ms;
    int64_t http_proxy_path; /* enum http_proxy_path */
    bool strict_envelope;
    char *trusted_proxies;
    int64_t link_buffer, link_wait_ms, link_frame_max;
    int64_t message_max, ping_ms, pong_ms, client_queue;
    int64_t header_ms, body_ms, idle_ms;
    int64_t max_connections; /* 0: from the descriptor limit, see settings_max_connections */
    int64_t max_shards;
    int64_t log_level, log_format;
    /* Settings that this version knows but can only have off. */
    int64_t seat_ttl_ms;
    bool require_ticket;
    char *private_rooms, *unregistered_shards, *client_rate, *room_failover;
};

extern const struct config_table settings_table;

/* `setting` when it is not 0, else what a descriptor limit leaves for clients: all but min(1 024, a
 * quarter), which go to links, room servers, worlds and files. */
size_t settings_max_connections(int64_t setting, uint64_t descriptors);
