#pragma once
/* The settings of a shard process: one table of rows, and the values it fills. */
#include "common/base/rate.h"
#include "common/net/process_settings.h"
#include "common/proto/addr.h"
#include "common/proto/routes.h"

enum http_proxy_path { PROXY_PATH_ROOM, PROXY_PATH_NESTED };

enum slow_client { SLOW_CLIENT_CLOSE, SLOW_CLIENT_DROP_OLDEST };

enum unregistered_shards { UNREGISTERED_ADOPT, UNREGISTERED_REFUSE };

/* What the table fills; strings are owned. */
struct settings {
    struct process_settings common;
    char *node_id;
    char *shard_secret;
    char *routes; /* JSON, or `@` and the path of a file that holds it */
    int64_t pass_answer_ms, pass_buffer;
    char *world_urls, *world_id, *world_ids, *node_url, *internal_url, *room_servers;
    int64_t world_protocol;  /* enum node_protocol */
    int64_t report_ms;       /* 0: as usual */
    int64_t http_proxy_path; /* enum http_proxy_path */
    bool strict_envelope;
    int64_t link_buffer, link_wait_ms, link_frame_max;
    int64_t client_queue, slow_client, slow_ms; /* enum slow_client */
    int64_t message_ms, buffer_max;
    struct rate_limit message_rate;
    struct rate_limit client_rate; /* or CONFIG_RATE_AUTO */
    struct rate_limit connect_rate;
    bool compression;
    int64_t compression_min;
    int64_t drain_ms;
    int64_t max_shards;
    char *allowed_origins; /* for allowed_origins_has */
    int64_t seat_ttl_ms;
    int64_t unregistered_shards; /* enum unregistered_shards */
    int64_t client_auth;         /* what settings_auth reads */
    int64_t auth_timeout_ms, auth_waiting;
    char *jwt_secret;
    int64_t jwt_alg; /* enum token_alg */
    bool require_ticket;
    int64_t private_rooms; /* enum private_rooms */
};

/* A loaded one has origins, networks, a world id and secrets that can be used. */
extern const struct config_table settings_table;
/* For the table: as its `check`. */
bool settings_check(const void *config, FILE *err);
/* New connections of one client address: CLIENT_RATE, or what that is on its own. */
struct rate_limit settings_client_rate(const struct settings *s);
/* The origins of room servers; "" when there are none. */
const char *settings_room_servers(const struct settings *s);
/* What ROUTES says, read anew; caller frees with routes_free. ERR_SYNTAX, ERR_IO (its file):
 * *problem says what is wrong in one line. */
MUST_CHECK enum err settings_routes(const struct settings *s, struct routes **out,
                                    struct buf *problem);
/* What clients show where a rule does not say. */
enum route_auth settings_auth(const struct settings *s);
