/* The table of settings, and what some of them mean. Reading, bounds, --help and messages are
 * common/base/config's, what rows cannot say is settings_check.c's. */
#include "shard/io/settings.h"

#include <string.h>

#include "common/net/doors.h"

#define FIELD(name) offsetof(struct settings, name)

static const char *const protocols[] = {"auto", "reference", NULL};
static const char *const slow_clients[] = {"close", "drop-oldest", NULL};
static const char *const unregistered[] = {"adopt", "refuse", NULL};
static const char *const auths[] = {"none", "jwt", "message", "ticket", NULL};
static const enum route_auth auth_values[] = {ROUTE_AUTH_NONE, ROUTE_AUTH_JWT, ROUTE_AUTH_MESSAGE,
                                              ROUTE_AUTH_TICKET};
static const char *const proxy_paths[] = {"room", "nested", NULL};

static const struct config_row rows[] = {
    PROCESS_SETTINGS_ROWS(struct settings, common, "3010"),
    {.name = "NODE_ID",
     .type = CONFIG_STRING,
     .offset = FIELD(node_id),
     .fallback = "",
     .help = "Name of this process among the nodes of a world; empty: host name and port."},
    {.name = "SHARD_SECRET",
     .type = CONFIG_SECRET,
     .offset = FIELD(shard_secret),
     .required = true,
     .reload = true,
     .help = "Shared with worlds and room servers; of a comma-separated list the first is sent."},
    {.name = "WORLD_URLS",
     .type = CONFIG_STRING,
     .offset = FIELD(world_urls),
     .fallback = "http://127.0.0.1:3002",
     .help = "World processes, comma-separated http or https origins; one is used until it fails."},
    {.name = "WORLD_ID",
     .type = CONFIG_STRING,
     .offset = FIELD(world_id),
     .fallback = "world-default",
     .help = "World of shard ids that name none."},
    {.name = "WORLD_IDS",
     .type = CONFIG_STRING,
     .offset = FIELD(world_ids),
     .fallback = "world-default",
     .help = "Worlds that this node serves from its start; others are learned as clients arrive."},
    {.name = "NODE_URL",
     .type = CONFIG_STRING,
     .offset = FIELD(node_url),
     .fallback = "",
     .help = "Where clients reach this node, as told to worlds; empty: INTERNAL_URL."},
    {.name = "INTERNAL_URL",
     .type = CONFIG_STRING,
     .offset = FIELD(internal_url),
     .fallback = "",
     .help = "Where other processes of the cluster reach this node, an http or https origin; "
             "empty: the "
             "address that it listens on, and its host name where HOST is all addresses. Needed on "
             "several hosts."},
    {.name = "ROOM_SERVERS",
     .type = CONFIG_STRING,
     .offset = FIELD(room_servers),
     .fallback = "http://127.0.0.1:3003",
     .empty_counts = true,
     .help =
         "Room servers, comma-separated http or https origins, the same on every node; none, or "
         "empty: no room server."},
    {.name = "ROUTES",
     .type = CONFIG_STRING,
     .offset = FIELD(routes),
     .fallback = "",
     .help = "Paths that clients may dial besides /parties/shard/, a JSON list of rules, or "
             "@/path/of/file; the same on every node."},
    {.name = "PASS_ANSWER_TIMEOUT",
     .type = CONFIG_DURATION,
     .offset = FIELD(pass_answer_ms),
     .fallback = "120s",
     .min = 1,
     .max = 86400000,
     .help = "How long a server of mode pass may take to answer a request, or to go on with it."},
    {.name = "PASS_BUFFER",
     .type = CONFIG_SIZE,
     .offset = FIELD(pass_buffer),
     .fallback = "256KiB",
     .min = 4096,
     .max = INT32_MAX,
     .help = "What may wait each way between a client of mode pass and its server, and up to "
             "128KiB, one read, more; then the other side is not read."},
    {.name = "WORLD_PROTOCOL",
     .type = CONFIG_CHOICE,
     .offset = FIELD(world_protocol),
     .fallback = "auto",
     .choices = protocols,
     .help = "How to report to worlds: by heartbeats, or by the reference's update-shard to those "
             "that know none; reference: by update-shard only."},
    {.name = "REPORT_INTERVAL",
     .type = CONFIG_DURATION,
     .offset = FIELD(report_ms),
     .fallback = "0",
     .max = 86400000,
     .help =
         "Between heartbeats until the world says otherwise, or between reports of a shard to a "
         "world without heartbeats; 0: 1s and 30s."},
    {.name = "HTTP_PROXY_PATH",
     .type = CONFIG_CHOICE,
     .offset = FIELD(http_proxy_path),
     .fallback = "room",
     .choices = proxy_paths,
     .help = "Path at the room server: /parties/main/{room}/rest, or the shard's path nested in it "
             "as the reference has it."},
    {.name = "STRICT_ENVELOPE",
     .type = CONFIG_BOOL,
     .offset = FIELD(strict_envelope),
     .fallback = "0",
     .reload = true,
     .help = "Take a room server's frame for a command only if it is nothing else."},
    {.name = "LINK_BUFFER",
     .type = CONFIG_SIZE,
     .offset = FIELD(link_buffer),
     .fallback = "8MiB",
     .min = 65536,
     .max = INT32_MAX,
     .help = "What may wait for one room server link."},
    {.name = "LINK_WAIT",
     .type = CONFIG_DURATION,
     .offset = FIELD(link_wait_ms),
     .fallback = "15s",
     .min = 1,
     .max = 3600000,
     .reload = true,
     .help = "How long clients wait for a link that fell."},
    {.name = "LINK_FRAME_MAX",
     .type = CONFIG_SIZE,
     .offset = FIELD(link_frame_max),
     .fallback = "8MiB",
     .min = 1024,
     .max = INT32_MAX,
     .reload = true,
     .help = "Largest frame from a room server."},
    {.name = "CLIENT_QUEUE",
     .type = CONFIG_SIZE,
     .offset = FIELD(client_queue),
     .fallback = "1MiB",
     .min = 1024,
     .max = INT32_MAX,
     .reload = true,
     .help = "What may wait for one client; beyond, SLOW_CLIENT counts."},
    {.name = "SLOW_CLIENT",
     .type = CONFIG_CHOICE,
     .offset = FIELD(slow_client),
     .fallback = "close",
     .choices = slow_clients,
     .reload = true,
     .help = "What becomes of a client over CLIENT_QUEUE: closed with 4200, or it loses the oldest "
             "messages that wait for it."},
    {.name = "SLOW_TIMEOUT",
     .type = CONFIG_DURATION,
     .offset = FIELD(slow_ms),
     .fallback = "30s",
     .max = 86400000,
     .reload = true,
     .help = "How long a client may take nothing of what waits for it before it is closed with "
             "4200; 0: for ever."},
    {.name = "MESSAGE_RATE",
     .type = CONFIG_RATE,
     .offset = FIELD(message_rate),
     .fallback = "1000:2000",
     .reload = true,
     .help = "Messages of one client; beyond, it is closed with 4201."},
    {.name = "MESSAGE_TIMEOUT",
     .type = CONFIG_DURATION,
     .offset = FIELD(message_ms),
     .fallback = "60s",
     .max = 86400000,
     .reload = true,
     .help = "Time for one WebSocket message from a client, from its first byte to its last; 0: "
             "any."},
    {.name = "COMPRESSION",
     .type = CONFIG_BOOL,
     .offset = FIELD(compression),
     .fallback = "0",
     .help = "Compress messages to and from clients that offer it (permessage-deflate), for rules "
             "of ROUTES that do not say."},
    {.name = "COMPRESSION_MIN",
     .type = CONFIG_SIZE,
     .offset = FIELD(compression_min),
     .fallback = "256",
     .max = INT32_MAX,
     .help = "Shorter messages to clients go as they are."},
    {.name = "BUFFER_MAX",
     .type = CONFIG_SIZE,
     .offset = FIELD(buffer_max),
     .fallback = "1GiB",
     .max = (int64_t)1 << 50,
     .reload = true,
     .help = "What may wait for all clients and of their unfinished messages together; beyond, "
             "whoever has more than 4KiB of it is closed (4200, 1013); 0: any."},
    {.name = "DRAIN_DEADLINE",
     .type = CONFIG_DURATION,
     .offset = FIELD(drain_ms),
     .fallback = "10s",
     .min = 1,
     .max = 86400000,
     .reload = true,
     .help = "How long clients are closed one by one when the process or the node is to stop."},
    {.name = "MAX_SHARDS",
     .type = CONFIG_INT,
     .offset = FIELD(max_shards),
     .fallback = "10000",
     .min = 1,
     .max = 1000000,
     .reload = true,
     .help = "Shards at a time."},
    {.name = "SEAT_TTL",
     .type = CONFIG_DURATION,
     .offset = FIELD(seat_ttl_ms),
     .fallback = "15s",
     .max = 86400000,
     .help = "How long worlds keep a promised seat; here only whether it is 0: then the node does "
             "not enforce capacities, as in the reference."},
    {.name = "CLIENT_AUTH",
     .type = CONFIG_CHOICE,
     .offset = FIELD(client_auth),
     .fallback = "none",
     .choices = auths,
     .help = "What clients show to be let in: nothing, a JWT with their request, or one in the "
             "first message (requests that are no WebSocket bring it with them), or a ticket of "
             "/connect."},
    {.name = "AUTH_TIMEOUT",
     .type = CONFIG_DURATION,
     .offset = FIELD(auth_timeout_ms),
     .fallback = "10s",
     .min = 1,
     .max = 3600000,
     .reload = true,
     .help = "Time for that first message; then the client is closed with 4001."},
    {.name = "AUTH_WAITING",
     .type = CONFIG_INT,
     .offset = FIELD(auth_waiting),
     .fallback = "1000",
     .min = 1,
     .max = 1000000,
     .reload = true,
     .help = "Clients at a time that have not sent it yet; beyond: 503."},
    {.name = "AUTH_JWT_SECRET",
     .type = CONFIG_SECRET,
     .offset = FIELD(jwt_secret),
     .fallback = "",
     .reload = true,
     .help = "Verifies clients' tokens: a comma-separated list of secrets, or a public key in PEM "
             "for RS256 and ES256; needed where CLIENT_AUTH or ROUTES want tokens."},
    {.name = "AUTH_JWT_ALG",
     .type = CONFIG_CHOICE,
     .offset = FIELD(jwt_alg),
     .fallback = "HS256",
     .choices = process_jwt_algs,
     .reload = true,
     .help = "The one algorithm that clients' tokens may have."},
    {.name = "REQUIRE_TICKET",
     .type = CONFIG_BOOL,
     .offset = FIELD(require_ticket),
     .fallback = "0",
     .help = "Admit to shards nobody without a ticket of /connect, whatever else is wanted."},
    {.name = "PRIVATE_ROOMS",
     .type = CONFIG_CHOICE,
     .offset = FIELD(private_rooms),
     .fallback = "ignore",
     .choices = process_private_rooms,
     .help = "What public=false means for clients; ignore: nothing; enforce: a ticket, or a JWT "
             "whose claim rooms covers the room, is needed, too where the world has not said that "
             "the room is public."},
    {.name = "ALLOWED_ORIGINS",
     .type = CONFIG_STRING,
     .offset = FIELD(allowed_origins),
     .reload = true,
     .fallback = "",
     .help = "Web pages that may open WebSockets, comma-separated: https://game.example, "
             "https://*.game.example or null; empty: all. Clients that are no browsers name none."},
    {.name = "UNREGISTERED_SHARDS",
     .type = CONFIG_CHOICE,
     .offset = FIELD(unregistered_shards),
     .fallback = "adopt",
     .choices = unregistered,
     .reload = true,
     .help = "What becomes of clients with shard ids that nobody created."},
    {.name = "CLIENT_RATE",
     .type = CONFIG_RATE,
     .offset = FIELD(client_rate),
     .fallback = "auto",
     .reload = true,
     .help = "New connections of one client address (IPv6: of its /64), but loopback and trusted "
             "proxies; auto: 50:200 if TRUSTED_PROXIES is set, else off."},
    {.name = "CONNECT_RATE",
     .type = CONFIG_RATE,
     .offset = FIELD(connect_rate),
     .fallback = "2000:10000",
     .reload = true,
     .help = "New WebSockets of this process; beyond, they wait for up to 3s, sessions that are "
             "known here before others, and then are refused."},
};

struct rate_limit settings_client_rate(const struct settings *s)
{
    static const struct rate_limit usual = {.per_s = 50, .burst = 200};
    bool is_auto = s->client_rate.burst == 0 && s->client_rate.per_s == CONFIG_RATE_AUTO;
    if (!is_auto)
        return s->client_rate;
    return s->common.trusted_proxies[0] != '\0' ? usual : (struct rate_limit){0};
}

const char *settings_room_servers(const struct settings *s)
{
    return strcmp(s->room_servers, "none") == 0 ? "" : s->room_servers;
}

enum route_auth settings_auth(const struct settings *s)
{
    return auth_values[s->client_auth];
}

static bool check_files(const void *config, FILE *err)
{
    const struct settings *s = config;
    process_warn_of_secrets(span_str(s->shard_secret), span_str(s->jwt_secret), s->jwt_alg,
                            settings_table.process, err);
    return doors_check(&s->common, settings_table.process, err);
}

const struct config_table settings_table = {
    .process = "terrane-shard",
    .about = "Carries clients to the rooms of their shards, and reports to worlds.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .health = true,
    .check = settings_check,
    .check_files = check_files,
};
