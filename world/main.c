/* terrane-world: puts the world process together, runs it and takes it down. */
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/net/listener.h"
#include "common/net/own_url.h"
#include "common/proto/secret.h"
#include "world/io/copy/copy.h"
#include "world/io/farewell.h"
#include "world/io/feed_sockets.h"
#include "world/io/moment_now.h"
#include "world/io/prober.h"
#include "world/io/server.h"
#include "world/io/settings.h"
#include "world/io/shard_proxy.h"
#include "world/io/stores.h"
#include "world/io/streams.h"
#include "world/io/ticker.h"

enum {
    EXIT_BAD_SETTINGS = 2,
    HIGH_WATER = 1024 * 1024,
    JWT_SECRET_MIN = 32, /* bytes; a shorter one is worth a warning */
    SHARD_SECRET_MIN = 16,
    ADMIN_CONNECTIONS = 256, /* of ADMIN_LISTEN; from what MAX_CONNECTIONS leaves */
};

struct process {
    struct settings settings;
    struct token_keys *keys;
    struct addr_set trusted;
    struct core_settings core_settings;
    struct server_settings server_settings;
    struct ws_settings ws_settings;
    struct port port;
    struct core core;
    struct loop *loop;
    struct listener *listener, *back_listener;
    struct server server;
    struct shard_proxy shards;
    struct feed_sockets feeds;
    struct metrics metrics;
    struct stores stores;
    struct ticker ticker;
    struct prober prober;
    struct farewell farewell;
};

/* ---- the end */

static void close_doors(void *ctx)
{
    struct process *p = ctx;

    listener_close(p->listener);
    listener_close(p->back_listener);
    p->listener = p->back_listener = NULL;
    p->metrics.listener = p->metrics.back_listener = NULL;
}

static void on_stop_signal(void *ctx)
{
    struct process *p = ctx;

    if (farewell_begin(&p->farewell))
        return;
    log_warn("process.stop", "how=at-once");
    _exit(EXIT_FAILURE);
}

static void on_reload_signal(void *ctx)
{
    (void)ctx;
    log_info("process.reload", "changed=nothing");
}

/* ---- the beginning */

static void use_secrets(struct process *p)
{
    struct span shard_secret = span_str(p->settings.shard_secret);
    enum token_alg alg = (enum token_alg)p->settings.jwt_alg;

    enum err e = token_keys_new(&p->keys, alg, span_str(p->settings.jwt_secret));

    assert(e == ERR_OK); /* settings_table has checked it */
    if (alg == TOKEN_HS256 && token_keys_shortest(p->keys) < JWT_SECRET_MIN)
        log_warn("settings.weak", "name=AUTH_JWT_SECRET wanted_bytes=%d", JWT_SECRET_MIN);
    if (secret_shortest(shard_secret) < SHARD_SECRET_MIN)
        log_warn("settings.weak", "name=SHARD_SECRET wanted_bytes=%d", SHARD_SECRET_MIN);
}

/* What the settings mean to each part. */
static void use_settings(struct process *p)
{
    const struct settings *s = &p->settings;
    struct span bad;
    enum err e = addr_set_parse(&p->trusted, span_str(s->common.trusted_proxies), &bad);

    assert(e == ERR_OK); /* settings_table has checked it */
    use_secrets(p);
    p->core_settings = (struct core_settings){
        .shard_secret = span_str(s->shard_secret),
        .keys = p->keys,
        .url_template = span_str(s->url_template),
        .max_room_shards = (uint64_t)s->max_room_shards,
        .seat_ttl_ms = s->seat_ttl_ms,
        .beat_ms = s->beat_interval_ms,
        .strangers = {.max = (uint64_t)s->anonymous_create_max,
                      .per_s = (uint32_t)s->anonymous_create_rate,
                      .worlds = (uint64_t)s->anonymous_worlds},
        .room_servers = span_str(settings_room_servers(s)),
        .failover_ms = s->room_failover == ROOM_FAILOVER_MOVE ? 0 : s->room_failover_wait_ms,
        .nodes_packed = s->node_placement == 1,
    };
    p->server_settings = (struct server_settings){.limits = process_http_limits(&s->common),
                                                  .trusted = &p->trusted,
                                                  .secrets = span_str(s->shard_secret)};
    p->server_settings.limits.body_max = (uint64_t)s->body_max;
    p->server_settings.limits.high_water = HIGH_WATER;
    p->server_settings.limits.max_connections =
        process_max_connections(s->common.max_connections, fd_limit_raise());
    p->server_settings.has_back = *s->admin_listen != '\0';
    p->server_settings.back_limits = p->server_settings.limits;
    if (p->server_settings.back_limits.max_connections > ADMIN_CONNECTIONS)
        p->server_settings.back_limits.max_connections = ADMIN_CONNECTIONS;
    p->ws_settings = process_ws_settings(&s->common);
    p->ws_settings.high_water = HIGH_WATER;
    p->ws_settings.max_queue = (size_t)s->feed_queue;
}

/* The store is open. */
static void wire(struct process *p)
{
    struct rng rng;

    rng_init(&rng);
    ticker_init(&p->ticker, p->loop, &p->core);
    prober_init(&p->prober, p->loop, &p->core);
    feed_sockets_init(&p->feeds, p->loop, &p->core, &p->ws_settings);
    server_init(&p->server, p->loop, &p->core, &p->feeds, &p->metrics, &p->server_settings);
    shard_proxy_init(&p->shards, p->loop, &p->server, p->server_settings.secrets,
                     (size_t)p->settings.world_tunnels);
    p->server.shards = &p->shards;
    p->metrics.shards = &p->shards.stats;
    p->port.reply = server_reply_port(&p->server);
    p->port.stream = server_stream_port(&p->server);
    p->port.feed = feed_sockets_port(&p->feeds);
    p->port.store = stores_port(&p->stores);
    p->port.owner = stores_owner_port(&p->stores);
    p->port.ticker = (struct ticker_port){.ctx = &p->ticker, .wake = ticker_wake};
    p->port.probe = prober_port(&p->prober);
    core_init(&p->core, &p->port, &p->core_settings, &rng, moment_now(p->loop));
    p->metrics.loop = p->loop;
    p->metrics.core = &p->core;
    p->metrics.http = p->server.front.http;
    p->metrics.back_http = p->server.back.http;
    p->metrics.feeds = &p->feeds;
    p->metrics.store = stores_stats(&p->stores);
    p->metrics.cluster = p->stores.cluster;
    if (p->stores.cluster != NULL)
        p->metrics.passage = &cluster_stats(p->stores.cluster)->passage;
    p->farewell = (struct farewell){
        .loop = p->loop,
        .server = &p->server,
        .feeds = &p->feeds,
        .shards = &p->shards,
        .close_doors = close_doors,
        .ctx = p,
        .cluster = p->stores.cluster,
    };
    loop_on_signal(p->loop, SIGTERM, on_stop_signal, p);
    loop_on_signal(p->loop, SIGINT, on_stop_signal, p);
    loop_on_signal(p->loop, SIGHUP, on_reload_signal, p);
}

static bool open_listener(struct process *p, struct listener **out, const char *host, uint16_t port,
                          struct http_server *http)
{
    const char *why;

    if (listener_open(out, p->loop, host, port, http_server_accept, http, &why) == ERR_OK)
        return true;
    (void)fprintf(stderr, "terrane-world: cannot listen on %s port %u (%s): %s\n", host, port,
                  http == p->server.back.http ? "ADMIN_LISTEN" : "HOST and PORT", why);
    return false;
}

static bool open_back_listener(struct process *p)
{
    struct buf host = {0};
    uint16_t port;
    bool open = settings_admin_listen(&p->settings, &host, &port) != ERR_OK || /* there is none */
                open_listener(p, &p->back_listener, host.data, port, p->server.back.http);

    buf_clear(&host);
    return open;
}

/* False: a line on stderr says why. */
static bool listen_on(struct process *p)
{
    const struct process_settings *s = &p->settings.common;

    if (!open_listener(p, &p->listener, s->host, (uint16_t)s->port, p->server.front.http) ||
        !open_back_listener(p))
        return false;
    p->metrics.listener = p->listener;
    p->metrics.back_listener = p->back_listener;
    (void)printf("listening on %s\n", listener_address(p->listener));
    if (p->back_listener != NULL)
        (void)printf("admin listening on %s\n", listener_address(p->back_listener));
    (void)fflush(stdout);
    log_info("process.ready", "address=%s admin=%s", listener_address(p->listener),
             p->back_listener == NULL ? "" : listener_address(p->back_listener));
    return true;
}

/* The others can reach this process now. */
static void join_cluster(struct process *p)
{
    struct buf url = {0};

    if (p->stores.cluster == NULL)
        return;
    if (*p->settings.internal_url != '\0')
        buf_add_span(&url, span_str(p->settings.internal_url));
    else
        own_url_add(&url, p->listener);
    cluster_start(p->stores.cluster, &p->server, buf_span(&url));
    buf_clear(&url);
}

/* False: what the store still had to write is lost. */
static bool unwire(struct process *p)
{
    enum { TURNS = 3 }; /* what is aborted ends at the end of a turn, and may end others */
    bool kept;

    farewell_stop(&p->farewell);
    close_doors(p);
    feed_sockets_abort(&p->feeds);
    shard_proxy_abort(&p->shards);
    if (p->stores.cluster != NULL)
        cluster_abort(p->stores.cluster);
    server_close(&p->server);
    ticker_stop(&p->ticker); /* or the turns below might begin a probe */
    prober_clear(&p->prober);
    for (int i = 0; i < TURNS; i++)
        loop_turn(p->loop, 0);
    shard_proxy_clear(&p->shards);
    kept = stores_close(&p->stores);
    server_clear(&p->server);
    feed_sockets_clear(&p->feeds);
    core_clear(&p->core);
    metrics_clear(&p->metrics);
    return kept;
}

static int run(struct process *p)
{
    bool good = false;

    p->loop = loop_new();
    if (stores_open(&p->stores, p->loop, &p->core, &p->settings, &p->core_settings)) {
        wire(p);
        good = stores_load(&p->stores) && listen_on(p);
        if (good) {
            join_cluster(p);
            loop_run(p->loop);
        }
        good = unwire(p) && good;
    }
    loop_free(p->loop);
    log_info("process.end", "status=%d", good ? EXIT_SUCCESS : EXIT_FAILURE);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct process *p;
    int status = EXIT_BAD_SETTINGS;

    if (argc > 1 && strcmp(argv[1], "copy") == 0)
        return copy_main(argc - 2, argv + 2);
    p = xcalloc(1, sizeof(*p));
    switch (config_load(&settings_table, &p->settings, argc, argv, stdout, stderr)) {
    case CONFIG_DONE:
        status = EXIT_SUCCESS;
        break;
    case CONFIG_BAD:
        break;
    case CONFIG_RUN:
        log_open("terrane-world", (enum log_level)p->settings.common.log_level,
                 (enum log_format)p->settings.common.log_format);
        use_settings(p);
        status = run(p);
        break;
    }
    token_keys_free(p->keys);
    addr_set_clear(&p->trusted);
    config_clear(&settings_table, &p->settings);
    free(p);
    return status;
}
