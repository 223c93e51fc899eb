#pragma once
/* The settings of a world process: one table of rows, and the values it fills. */
#include "common/base/buf.h"
#include "common/net/process_settings.h"

enum room_failover { ROOM_FAILOVER_WAIT, ROOM_FAILOVER_MOVE };
enum store_sync { STORE_SYNC_NORMAL, STORE_SYNC_FULL };

/* What the table fills; strings are owned. */
struct settings {
    struct process_settings common;
    char *jwt_secret;
    int64_t jwt_alg; /* enum token_alg */
    char *shard_secret;
    char *url_template;
    int64_t max_room_shards;
    char *room_servers;    /* settings_room_servers reads it */
    int64_t room_failover; /* enum room_failover */
    int64_t room_failover_wait_ms;
    int64_t node_placement; /* 0: spread, 1: packed */
    int64_t body_max;
    int64_t feed_queue;
    int64_t world_tunnels;
    char *data_dir;     /* empty: in memory only */
    int64_t store_sync; /* enum store_sync */
    char *redis_url;    /* empty: this is the only process */
    char *redis_prefix;
    int64_t redis_wait; /* replicas */
    int64_t redis_timeout_ms, lease_ttl_ms, world_wait_ms;
    char *internal_url; /* empty: own_url.h */
    int64_t seat_ttl_ms;
    int64_t beat_interval_ms;
    int64_t anonymous_create_max, anonymous_create_rate, anonymous_worlds;
    bool require_ticket;
    int64_t private_rooms; /* enum private_rooms */
    char *admin_listen;    /* settings_admin_listen reads it */
};

/* A loaded one has trusted proxies, room servers, secrets, URLs and keys that can be parsed. */
extern const struct config_table settings_table;
/* ROOM_SERVERS as a list of origins, empty when it says none. */
const char *settings_room_servers(const struct settings *s);
/* ADMIN_LISTEN: the host, with a NUL behind it, is put into the empty buf `host`; a port alone is
 * on 127.0.0.1, port 0 is the system's to choose. ERR_MISSING: there is none; ERR_SYNTAX: no
 * address. */
MUST_CHECK enum err settings_admin_listen(const struct settings *s, struct buf *host,
                                          uint16_t *port);
