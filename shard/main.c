/* terrane-shard: wires settings, core and io, runs the loop, and ends in good order. */
#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/base/log.h"
#include "common/base/version.h"
#include "common/net/listener.h"
#include "common/proto/secret.h"
#include "shard/io/edge.h"
#include "shard/io/farewell.h"
#include "shard/io/heart.h"
#include "shard/io/identity.h"
#include "shard/io/reporter.h"
#include "shard/io/room_link.h"

enum {
    EXIT_BAD_SETTINGS = 2,
    ROOM_ID_MAX = 8 * 1024,
    SESSION_ID_MAX = 4 * 1024,
    LINK_FIRST_MS = 3000,
    REPORT_MS = 30000, /* without REPORT_INTERVAL */
    BEAT_MS = 1000,
    LINK_RETRY_MIN_MS = 100,
    LINK_RETRY_MAX_MS = 3000,
    SECRET_MIN = 16, /* bytes; a shorter one is worth a warning */
    EDGE_HIGH_WATER = 256 * 1024,
};

static const struct http_pool_settings peer_pool_settings = {
    .connect_ms = ARRIVAL_CONNECT_MS,
    .answer_ms = 60000,
    .max_idle = 64,
    .idle_ms = 4000,
    .high_water = 256 * 1024,
};

struct process {
    struct settings settings;
    struct node_settings node_settings;
    struct ws_settings client_settings, link_settings;
    struct http_limits limits;
    struct addr_set trusted;
    struct buf version;

    struct loop *loop;
    struct node *node;
    struct ticker ticker;
    struct io_stats stats;
    struct room_servers rooms;
    struct worlds worlds;
    struct room_links links;
    struct reporter reporter;
    struct heart heart;
    struct edge_clients clients;
    struct forwards forwards;
    struct tunnels tunnels, peer_tunnels;
    struct pools peers; /* other nodes */
    struct questions questions;
    struct arrivals arrivals;
    struct room_proxy room_proxy;
    struct world_proxy world_proxy;
    struct edge edge;
    struct http_server *server;
    struct listener *listener;

    struct farewell farewell;
    bool failed; /* core cannot go on */
};

/* ---- core's port */

static void port_client_send(void *io, struct handle client, struct frame *frame)
{
    edge_client_send(&((struct process *)io)->clients, client, frame);
}

static void port_client_close(void *io, struct handle client, uint16_t code, struct span reason)
{
    edge_client_close(&((struct process *)io)->clients, client, code, reason);
}

static void port_client_pause(void *io, struct handle client, bool pause)
{
    edge_client_pause(&((struct process *)io)->clients, client, pause);
}

static void port_link_dial(void *io, struct handle link, struct span shard, struct span world,
                           struct span room, struct span server)
{
    room_link_dial(&((struct process *)io)->links, link, shard, world, room, server);
}

static struct span port_own_server(void *io, struct span room)
{
    return room_servers_own(&((struct process *)io)->rooms, room);
}

static void port_link_send(void *io, struct handle link, struct span text)
{
    room_link_send(&((struct process *)io)->links, link, text);
}

static void port_link_close(void *io, struct handle link, uint16_t code)
{
    room_link_close(&((struct process *)io)->links, link, code);
}

static void port_link_finish(void *io, struct handle link, uint16_t code)
{
    room_link_finish(&((struct process *)io)->links, link, code);
}

static size_t port_link_queued(void *io, struct handle link)
{
    return room_link_queued(&((struct process *)io)->links, link);
}

static void port_link_ping(void *io, struct handle link, uint32_t number)
{
    room_link_ping(&((struct process *)io)->links, link, number);
}

static void port_beat(void *io, struct handle world, struct span world_id, struct span body)
{
    heart_beat(&((struct process *)io)->heart, world, world_id, body);
}

static void port_fatal(void *io, struct span why)
{
    struct process *p = io;
    log_error("process.stop", "how=failed why=%.*s", SPAN_ARG(why));
    (void)fprintf(stderr, "terrane-shard: %.*s\n", SPAN_ARG(why));
    p->failed = true;
    loop_stop(p->loop);
}

static void port_report(void *io, struct handle shard, struct span shard_id, struct span world,
                        uint64_t connections)
{
    reporter_send(&((struct process *)io)->reporter, shard, shard_id, world, connections);
}

static const struct node_port port = {
    .client_send = port_client_send,
    .client_close = port_client_close,
    .client_pause = port_client_pause,
    .link_dial = port_link_dial,
    .own_server = port_own_server,
    .link_send = port_link_send,
    .link_close = port_link_close,
    .link_finish = port_link_finish,
    .link_queued = port_link_queued,
    .link_ping = port_link_ping,
    .beat = port_beat,
    .report = port_report,
    .fatal = port_fatal,
};

/* ---- the end */

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

/* Parses what settings_table has checked. */
static void read_settings(struct process *p, struct origins *worlds, struct origins *rooms)
{
    const struct settings *s = &p->settings;
    struct span bad;
    enum err worlds_read = origins_parse(worlds, span_str(s->world_urls), &bad);
    enum err rooms_read = origins_parse(rooms, span_str(settings_room_servers(s)), &bad);
    enum err trusted_read = addr_set_parse(&p->trusted, span_str(s->common.trusted_proxies), &bad);
    assert(worlds_read == ERR_OK && rooms_read == ERR_OK && trusted_read == ERR_OK);
    if (secret_shortest(span_str(s->shard_secret)) < SECRET_MIN)
        log_warn("settings.weak", "name=SHARD_SECRET wanted_bytes=%d", SECRET_MIN);
}

static void derive_settings(struct process *p, bool has_rooms)
{
    const struct settings *s = &p->settings;
    size_t connections = process_max_connections(s->common.max_connections, fd_limit_raise());
    p->node_settings = (struct node_settings){
        .drain_ms = s->drain_ms,
        .epoch = clock_wall_ms(),
        .version = TERRANE_VERSION,
        .world_ids = s->world_ids,
        .protocol = (enum node_protocol)s->world_protocol,
        .enforce_seats = s->seat_ttl_ms > 0,
        .adopt = s->unregistered_shards == UNREGISTERED_ADOPT,
        .world_id = s->world_id,
        .has_rooms = has_rooms,
        .strict_envelope = s->strict_envelope,
        .report_ms = s->report_ms > 0 ? s->report_ms : REPORT_MS,
        .beat_ms = s->report_ms > 0 ? s->report_ms : BEAT_MS,
        .link_wait_ms = s->link_wait_ms,
        .link_first_ms = LINK_FIRST_MS,
        .link_buffer = (size_t)s->link_buffer,
        .link_retry_min_ms = LINK_RETRY_MIN_MS,
        .link_retry_max_ms = LINK_RETRY_MAX_MS,
        .max_connections = connections,
        .max_shards = (size_t)s->max_shards,
        .max_room_id = ROOM_ID_MAX,
        .max_session_id = SESSION_ID_MAX,
    };
    p->client_settings = process_ws_settings(&s->common);
    p->client_settings.high_water = (uint32_t)(s->client_queue / 2);
    p->client_settings.max_queue = (size_t)s->client_queue;
    p->link_settings = process_ws_settings(&s->common);
    p->link_settings.max_message = (size_t)s->link_frame_max;
    p->link_settings.high_water = (uint32_t)node_link_high_water(&p->node_settings);
    p->limits = process_http_limits(&s->common);
    p->limits.high_water = EDGE_HIGH_WATER;
    p->limits.max_connections = connections;
}

static void wire_arrivals(struct process *p, struct span secret)
{
    tunnels_init(&p->peer_tunnels, p->loop, &p->stats.peer_tunnels);
    pools_init(&p->peers, p->loop, &peer_pool_settings);
    questions_init(&p->questions, &p->ticker, &p->worlds, secret);
    p->arrivals = (struct arrivals){
        .ticker = &p->ticker,
        .questions = &p->questions,
        .ways = {.tunnels = &p->peer_tunnels, .forwards = &p->forwards, .pools = &p->peers},
        .node = &p->node_settings,
        .secrets = span_str(p->settings.shard_secret),
        .ops = &edge_arrival_ops,
        .ctx = &p->edge,
        .stats = &p->stats.arrivals,
    };
    arrivals_init(&p->arrivals);
}

static void wire(struct process *p, struct origins *worlds, struct origins *rooms)
{
    struct span secret = secret_first(span_str(p->settings.shard_secret));
    uint64_t seed;
    rng_bytes(&seed, sizeof seed);
    p->node = node_new(&port, p, &p->node_settings, seed, loop_now(p->loop));
    ticker_init(&p->ticker, p->loop, p->node);
    room_servers_init(&p->rooms, p->loop, rooms);
    worlds_init(&p->worlds, p->loop, worlds);
    room_links_init(&p->links, &p->ticker, &p->rooms, secret, &p->link_settings, &p->stats);
    reporter_init(&p->reporter, &p->ticker, &p->worlds, secret);
    heart_init(&p->heart, &p->ticker, &p->worlds, secret);
    edge_clients_init(&p->clients, &p->ticker, &p->client_settings, &p->stats);
    forwards_init(&p->forwards, p->stats.forwards, &p->stats.forwards_now);
    tunnels_init(&p->tunnels, p->loop, &p->stats.tunnels);
    wire_arrivals(p, secret);
    p->room_proxy = (struct room_proxy){
        .ticker = &p->ticker,
        .rooms = &p->rooms,
        .forwards = &p->forwards,
        .secret = secret,
        .path = (enum http_proxy_path)p->settings.http_proxy_path,
    };
    p->world_proxy = (struct world_proxy){
        .worlds = &p->worlds,
        .forwards = &p->forwards,
        .tunnels = &p->tunnels,
        .secrets = span_str(p->settings.shard_secret),
    };
    p->edge = (struct edge){
        .ticker = &p->ticker,
        .clients = &p->clients,
        .rooms = &p->room_proxy,
        .worlds = &p->world_proxy,
        .arrivals = &p->arrivals,
        .trusted = &p->trusted,
        .secrets = span_str(p->settings.shard_secret),
        .metrics = {.node = p->node,
                    .io = &p->stats,
                    .worlds = &p->worlds,
                    .questions = &p->questions,
                    .loop = p->loop,
                    .server = &p->server,
                    .listener = &p->listener},
        .stats = &p->stats,
    };
    p->server = http_server_new(p->loop, &edge_app, &p->edge, &p->limits, SPAN(""));
    p->farewell = (struct farewell){
        .ticker = &p->ticker,
        .listener = &p->listener,
        .server = p->server,
        .clients = &p->clients,
        .forwards = &p->forwards,
        .tunnels = &p->tunnels,
        .peer_tunnels = &p->peer_tunnels,
        .links = &p->links,
        .reporter = &p->reporter,
    };
}

static bool open_door(struct process *p)
{
    const char *why;
    const struct settings *s = &p->settings;
    if (listener_open(&p->listener, p->loop, s->common.host, (uint16_t)s->common.port,
                      http_server_accept, p->server, &why) != ERR_OK) {
        (void)fprintf(stderr, "terrane-shard: cannot listen on %s port %u (HOST and PORT): %s\n",
                      s->common.host, (unsigned)s->common.port, why);
        return false;
    }
    identity_complete(&p->settings, p->listener);
    p->world_proxy.node_id = p->settings.node_id;
    p->node_settings.id = p->settings.node_id;
    p->node_settings.url = p->settings.node_url;
    p->node_settings.internal_url = p->settings.internal_url;
    identity_add_version(&p->version, &p->settings);
    p->edge.version = buf_span(&p->version);
    loop_on_signal(p->loop, SIGTERM, on_stop_signal, p);
    loop_on_signal(p->loop, SIGINT, on_stop_signal, p);
    loop_on_signal(p->loop, SIGHUP, on_reload_signal, p);
    ticker_touch(&p->ticker);
    (void)printf("listening on %s\n", listener_address(p->listener));
    (void)fflush(stdout);
    log_info("process.ready", "node=%s address=%s", p->settings.node_id,
             listener_address(p->listener));
    return true;
}

static void unwire(struct process *p)
{
    enum { TURNS = 3 }; /* what is aborted ends at the end of a turn, and may end others */
    listener_close(p->listener);
    farewell_stop(&p->farewell);
    forwards_clear(&p->forwards);
    tunnels_abort(&p->tunnels);
    tunnels_abort(&p->peer_tunnels);
    arrivals_clear(&p->arrivals);
    questions_clear(&p->questions);
    pools_clear(&p->peers);
    edge_clients_abort(&p->clients);
    room_links_abort(&p->links);
    reporter_clear(&p->reporter);
    heart_clear(&p->heart);
    http_server_free(p->server);
    room_servers_clear(&p->rooms);
    worlds_clear(&p->worlds);
    for (int i = 0; i < TURNS; i++)
        loop_turn(p->loop, 0);
    ticker_stop(&p->ticker);
    node_free(p->node);
    edge_clear(&p->edge);
    buf_clear(&p->version);
}

/* Everything between reading the settings and the end. */
static int run(struct process *p)
{
    struct origins worlds = {0}, rooms = {0};
    read_settings(p, &worlds, &rooms);
    derive_settings(p, rooms.count > 0);
    p->loop = loop_new();
    wire(p, &worlds, &rooms);
    int status = open_door(p) ? EXIT_SUCCESS : EXIT_FAILURE;
    if (status == EXIT_SUCCESS)
        loop_run(p->loop);
    status = p->failed ? EXIT_FAILURE : status;
    unwire(p);
    loop_free(p->loop);
    if (status == EXIT_SUCCESS)
        log_info("process.end", "status=0");
    origins_clear(&worlds);
    origins_clear(&rooms);
    addr_set_clear(&p->trusted);
    return status;
}

int main(int argc, char **argv)
{
    static struct process process;
    struct settings *s = &process.settings;
    switch (config_load(&settings_table, s, argc, argv, stdout, stderr)) {
    case CONFIG_DONE:
        return EXIT_SUCCESS;
    case CONFIG_BAD:
        return EXIT_BAD_SETTINGS;
    case CONFIG_RUN:
        break;
    }
    log_open("terrane-shard", (enum log_level)s->common.log_level,
             (enum log_format)s->common.log_format);
    int status = run(&process);
    config_clear(&settings_table, s);
    return status;
}
