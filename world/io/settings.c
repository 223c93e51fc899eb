/* The table of settings. Reading, bounds, --help and messages are common/base/config's. */
#include "world/io/settings.h"

#include <string.h>

#include "common/net/doors.h"
#include "common/proto/redis_url.h"
#include "common/proto/secret.h"
#include "common/proto/url.h"

static const char *const room_failovers[] = {
    [ROOM_FAILOVER_WAIT] = "wait", [ROOM_FAILOVER_MOVE] = "move", NULL};
static const char *const node_placements[] = {"spread", "packed", NULL};

#define PROCESS     "terrane-world"
#define FIELD(name) offsetof(struct settings, name)

static const char *const store_syncs[] = {
    [STORE_SYNC_NORMAL] = "normal", [STORE_SYNC_FULL] = "full", NULL};

static const struct config_row rows[] = {
    PROCESS_SETTINGS_ROWS(struct settings, common, "3002"),
    {.name = "AUTH_JWT_SECRET",
     .type = CONFIG_SECRET,
     .offset = FIELD(jwt_secret),
     .required = true,
     .reload = true,
     .help = "Signs the tokens of operators: a comma-separated list of secrets, or a public key in "
             "PEM for RS256 and ES256."},
    {.name = "AUTH_JWT_ALG",
     .type = CONFIG_CHOICE,
     .offset = FIELD(jwt_alg),
     .fallback = "HS256",
     .choices = process_jwt_algs,
     .reload = true,
     .help = "The one algorithm that tokens may have."},
    {.name = "SHARD_SECRET",
     .type = CONFIG_SECRET,
     .offset = FIELD(shard_secret),
     .required = true,
     .reload = true,
     .help = "Shared with shards; any secret of a comma-separated list is accepted."},
    {.name = "SHARD_URL_TEMPLATE",
     .type = CONFIG_STRING,
     .offset = FIELD(url_template),
     .fallback = "{shardId}",
     .help = "Address that clients are given; {shardId} and {roomId} are filled in. Clients of "
             "@signe/room need the default."},
    {.name = "MAX_ROOM_SHARDS",
     .type = CONFIG_INT,
     .offset = FIELD(max_room_shards),
     .fallback = "100000",
     .min = 1,
     .max = 1000000,
     .help = "Shards that one room can have, whatever its maxShards."},
    {.name = "ANONYMOUS_CREATE_MAX",
     .type = CONFIG_INT,
     .offset = FIELD(anonymous_create_max),
     .fallback = "10000",
     .min = 0,
     .max = 1000000000,
     .unit = "rooms and shards",
     .reload = true,
     .help = "What may exist in a world of what /connect made for callers without credentials; 0: "
             "nothing is made for them."},
    {.name = "ANONYMOUS_CREATE_RATE",
     .type = CONFIG_INT,
     .offset = FIELD(anonymous_create_rate),
     .fallback = "100",
     .min = 1,
     .max = 1000000,
     .unit = "rooms and shards a second",
     .reload = true,
     .help = "How fast they may be made in a world; twice as many may come at once. Callers on "
             "loopback are exempt."},
    {.name = "ANONYMOUS_WORLDS",
     .type = CONFIG_INT,
     .offset = FIELD(anonymous_worlds),
     .fallback = "1000",
     .min = 0,
     .max = 1000000,
     .unit = "worlds",
     .reload = true,
     .help = "What callers without credentials may name into being while the process lives."},
    {.name = "ROOM_SERVERS",
     .type = CONFIG_STRING,
     .offset = FIELD(room_servers),
     .fallback = "",
     .help = "Room servers of every world, comma-separated http or https origins; each room is put "
             "on one of "
             "them. none, or empty: only those that operators add, and without any the nodes "
             "choose of their own."},
    {.name = "ROOM_FAILOVER",
     .type = CONFIG_CHOICE,
     .offset = FIELD(room_failover),
     .fallback = "wait",
     .choices = room_failovers,
     .help = "When the rooms of a dead room server go to others: move, at once; wait, after "
             "ROOM_FAILOVER_WAIT."},
    {.name = "ROOM_FAILOVER_WAIT",
     .type = CONFIG_DURATION,
     .offset = FIELD(room_failover_wait_ms),
     .fallback = "30s",
     .max = 86400000,
     .help = "How long a dead room server is waited for."},
    {.name = "NODE_PLACEMENT",
     .type = CONFIG_CHOICE,
     .offset = FIELD(node_placement),
     .fallback = "spread",
     .choices = node_placements,
     .help =
         "Which node gets a new shard: the one with the most free capacity, or the fullest that "
         "has room."},
    {.name = "BODY_MAX",
     .type = CONFIG_SIZE,
     .offset = FIELD(body_max),
     .fallback = "2MiB",
     .min = 1024,
     .max = 1 << 30,
     .reload = true,
     .help = "Largest body of a request."},
    {.name = "FEED_QUEUE",
     .type = CONFIG_SIZE,
     .offset = FIELD(feed_queue),
     .fallback = "64MiB",
     .min = 1024,
     .max = INT32_MAX,
     .reload = true,
     .help = "What may wait for one admin; beyond, it is closed as too slow. A whole registry must "
             "fit beside the changes that follow it."},
    {.name = "WORLD_TUNNELS",
     .type = CONFIG_INT,
     .offset = FIELD(world_tunnels),
     .fallback = "1000",
     .max = 1000000,
     .min = 1,
     .help = "Clients' sockets that this world carries to nodes at a time, for those who know its "
             "address only; beyond, they are refused."},
    {.name = "DATA_DIR",
     .type = CONFIG_STRING,
     .offset = FIELD(data_dir),
     .fallback = "",
     .help = "Folder that the registry is kept in, made if its parent is there; none: in memory "
             "only, and a restart forgets it."},
    {.name = "STORE_SYNC",
     .type = CONFIG_CHOICE,
     .offset = FIELD(store_sync),
     .fallback = "normal",
     .choices = store_syncs,
     .help = "normal: the last second may be lost with the power (never with the process); full: "
             "every commit waits for the disk."},
    {.name = "REDIS_URL",
     .type = CONFIG_SECRET,
     .offset = FIELD(redis_url),
     .fallback = "",
     .help =
         "Keeps the registry in Redis, for all world processes that name it: "
         "redis://[user:password@]host[:port][/db] or redis+sentinel://[user:password@]"
         "host:port,host:port/master[/db], percent-encoded; none: this process is the only one. "
         "Not beside DATA_DIR."},
    {.name = "REDIS_PREFIX",
     .type = CONFIG_STRING,
     .offset = FIELD(redis_prefix),
     .fallback = "terrane",
     .help = "What the names of all keys begin with: processes of one cluster have the same."},
    {.name = "REDIS_WAIT",
     .type = CONFIG_INT,
     .offset = FIELD(redis_wait),
     .fallback = "0",
     .max = 100,
     .unit = "replicas",
     .help = "How many must have a change before who asked for it is told that it is kept."},
    {.name = "REDIS_TIMEOUT",
     .type = CONFIG_DURATION,
     .offset = FIELD(redis_timeout_ms),
     .fallback = "500ms",
     .min = 10,
     .max = 60000,
     .help = "How long connecting may take, and each answer of Redis."},
    {.name = "LEASE_TTL",
     .type = CONFIG_DURATION,
     .offset = FIELD(lease_ttl_ms),
     .fallback = "3s",
     .min = 300,
     .max = 600000,
     .help = "How long a world stays with a process that is no more before another one takes it. "
             "All processes have the same."},
    {.name = "WORLD_WAIT",
     .type = CONFIG_DURATION,
     .offset = FIELD(world_wait_ms),
     .fallback = "5s",
     .min = 100,
     .max = 60000,
     .help = "How long a request waits for a process that decides for its world."},
    {.name = "INTERNAL_URL",
     .type = CONFIG_STRING,
     .offset = FIELD(internal_url),
     .fallback = "",
     .help = "Where the other processes reach this one, an http or https origin; empty: the "
             "address that it "
             "listens on, and its host name where HOST is all addresses. Needed on several hosts."},
    {.name = "SEAT_TTL",
     .type = CONFIG_DURATION,
     .offset = FIELD(seat_ttl_ms),
     .fallback = "15s",
     .max = 3600000,
     .help =
         "How long the seat that /connect promises is kept for its client; 0: nothing is promised "
         "and only reports count, as in the reference."},
    {.name = "BEAT_INTERVAL",
     .type = CONFIG_DURATION,
     .offset = FIELD(beat_interval_ms),
     .fallback = "1s",
     .min = 100,
     .max = 60000,
     .help =
         "How often nodes are to be heard. One that was silent for 3 times as long gets nobody, "
         "after 10 times as long its shards go to others."},
    {.name = "REQUIRE_TICKET",
     .type = CONFIG_BOOL,
     .offset = FIELD(require_ticket),
     .fallback = "0",
     .help = "Give a ticket with every answer to /connect, asked for or not; nodes with the same "
             "setting admit nobody without."},
    {.name = "PRIVATE_ROOMS",
     .type = CONFIG_CHOICE,
     .offset = FIELD(private_rooms),
     .fallback = "ignore",
     .choices = process_private_rooms,
     .help = "What public=false means for clients; ignore: nothing, as in the reference; enforce: "
             "/connect wants a token whose claim rooms covers the room."},
    {.name = "ADMIN_LISTEN",
     .type = CONFIG_STRING,
     .offset = FIELD(admin_listen),
     .fallback = "",
     .help = "Address of a second listener, host:port or a port on 127.0.0.1, which alone answers "
             "what is management's; none: the one listener answers all."},
};

static bool check_secrets(const struct settings *s, FILE *err)
{
    if (secrets_shortest(&(struct secrets){span_str(s->shard_secret)}) == 0) {
        (void)fprintf(err, "terrane-world: SHARD_SECRET: a secret of the list is empty\n");
        return false;
    }
    return process_check_keys(span_str(s->jwt_secret), s->jwt_alg, PROCESS, err);
}

const char *settings_room_servers(const struct settings *s)
{
    return strcmp(s->room_servers, "none") == 0 ? "" : s->room_servers;
}

enum err settings_admin_listen(const struct settings *s, struct buf *host, uint16_t *port)
{
    return process_listen_address(s->admin_listen, host, port);
}

static bool check_admin_listen(const struct settings *s, FILE *err)
{
    struct buf host = {0};
    uint16_t port;
    bool good = settings_admin_listen(s, &host, &port) != ERR_SYNTAX;

    if (!good)
        (void)fprintf(err,
                      "terrane-world: ADMIN_LISTEN: \"%s\" is not host:port, such as "
                      "127.0.0.1:3004, nor a port\n",
                      s->admin_listen);
    buf_clear(&host);
    return good;
}

static bool check_internal_url(const struct settings *s, FILE *err)
{
    struct url_origin origin;

    if (*s->internal_url == '\0')
        return true;
    if (url_origin_parse(span_str(s->internal_url), &origin) != ERR_OK) {
        (void)fprintf(err,
                      "terrane-world: INTERNAL_URL: \"%s\" is not an http or https origin such as "
                      "http://127.0.0.1:3002\n",
                      s->internal_url);
        return false;
    }
    url_origin_clear(&origin);
    return true;
}

/* What it holds is not said: it may be a password. */
static bool check_redis_url(const struct settings *s, FILE *err)
{
    struct redis_url url;
    const char *why;

    if (*s->redis_url == '\0')
        return true;
    if (redis_url_parse(span_str(s->redis_url), &url, &why) != ERR_OK) {
        (void)fprintf(err, "terrane-world: REDIS_URL: %s\n", why);
        return false;
    }
    redis_url_clear(&url);
    if (*s->data_dir == '\0')
        return true;
    (void)fprintf(err, "terrane-world: REDIS_URL: the registry is kept there or in DATA_DIR, not "
                       "in both; unset one (terrane-world copy moves what it holds)\n");
    return false;
}

static bool check_redis(const struct settings *s, FILE *err)
{
    if (*s->redis_prefix != '\0')
        return check_redis_url(s, err);
    (void)fprintf(err, "terrane-world: REDIS_PREFIX: empty\n");
    return false;
}

static bool check(const void *config, FILE *err)
{
    const struct settings *s = config;

    return process_settings_check(&s->common, PROCESS, err) &&
           process_check_origins(settings_room_servers(s), "ROOM_SERVERS", PROCESS, err) &&
           check_admin_listen(s, err) && check_internal_url(s, err) && check_redis(s, err) &&
           check_secrets(s, err);
}

static bool check_files(const void *config, FILE *err)
{
    const struct settings *s = config;
    process_warn_of_secrets(span_str(s->shard_secret), span_str(s->jwt_secret), s->jwt_alg,
                            settings_table.process, err);
    return doors_check(&s->common, settings_table.process, err);
}

const struct config_table settings_table = {
    .process = "terrane-world",
    .about = "Keeps the registry of worlds, rooms and shards and places clients.",
    .also =
        "terrane-world copy --help tells how to back its registry up, to restore and to move it.",
    .rows = rows,
    .count = sizeof(rows) / sizeof(rows[0]),
    .health = true,
    .check = check,
    .check_files = check_files,
};
