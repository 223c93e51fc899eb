/* Puts the parts of a node's process together, and takes them apart. */
#include "shard/io/process.h"

#include <inttypes.h>

static const struct http_pool_settings peer_pool_settings = {
    .connect_ms = ARRIVAL_CONNECT_MS,
    .answer_ms = 60000,
    .max_idle = 64,
    .idle_ms = 4000,
    .high_water = 256 * 1024,
};

static void wire_arrivals(struct process *p)
{
    tunnels_init(&p->peer_tunnels, p->loop, &p->stats.peer_tunnels);
    pools_init(&p->peers, p->loop, &peer_pool_settings);
    p->peers.inside = true;
    questions_init(&p->questions, &p->ticker, &p->worlds, &p->secrets);
    p->arrivals = (struct arrivals){
        .ticker = &p->ticker,
        .questions = &p->questions,
        .ways = {.tunnels = &p->peer_tunnels, .forwards = &p->forwards, .pools = &p->peers},
        .node = &p->node_settings,
        .routes = p->routes,
        .secrets = &p->secrets,
        .ops = &edge_arrival_ops,
        .ctx = &p->edge,
        .stats = &p->stats.arrivals,
    };
    arrivals_init(&p->arrivals);
}

static void wire_checkups(struct process *p)
{
    p->checkups = (struct checkups){
        .ticker = &p->ticker,
        .peers = &p->peers,
        .rooms = &p->rooms,
        .secrets = &p->secrets,
        .node = &p->node_settings,
    };
    checkups_init(&p->checkups);
}

static void wire_passes(struct process *p)
{
    const struct process_settings *common = &p->settings.common;
    p->passes = (struct passes){
        .ticker = &p->ticker,
        .forwards = &p->forwards,
        .room_servers = &p->rooms.own.origins,
        .secrets = &p->secrets,
        .stats = &p->stats.passes,
    };
    passes_init(&p->passes, common->ping_ms + common->pong_ms, p->settings.pass_answer_ms,
                (size_t)p->settings.pass_buffer);
}

static void wire_proxies(struct process *p)
{
    p->room_proxy = (struct room_proxy){
        .ticker = &p->ticker,
        .rooms = &p->rooms,
        .forwards = &p->forwards,
        .secrets = &p->secrets,
        .path = (enum http_proxy_path)p->settings.http_proxy_path,
    };
    p->world_proxy = (struct world_proxy){
        .worlds = &p->worlds,
        .forwards = &p->forwards,
        .tunnels = &p->tunnels,
        .secrets = &p->secrets,
    };
}

/* Who asks newcomers at the edge: how many come, and who they are. */
static void wire_entrance(struct process *p)
{
    p->doorman = (struct doorman){
        .ticker = &p->ticker,
        .trusted = &p->trusted,
        .stats = &p->stats,
        .admitted = edge_admitted,
        .ctx = &p->edge,
    };
    doorman_init(&p->doorman, settings_client_rate(&p->settings), p->settings.connect_rate);
    p->greeter_settings.ws.deflate = p->client_settings.deflate;
    p->greeter = (struct greeter){
        .ticker = &p->ticker,
        .gate = &p->edge.gatekeeper.gate,
        .passes = &p->passes,
        .routes = p->routes,
        .clients = &p->clients,
        .settings = &p->greeter_settings,
        .stats = &p->stats,
    };
    greeter_init(&p->greeter);
}

static struct gate gate_of(const struct process *p)
{
    const struct settings *s = &p->settings;
    return (struct gate){
        .keys = p->keys,
        .fallback = settings_auth(s),
        .require_ticket = s->require_ticket,
        .private_rooms = s->private_rooms == PRIVATE_ROOMS_ENFORCE,
        .world_id = s->world_id,
        .secrets = &p->secrets,
        .node = p->node,
    };
}

static void wire_edge(struct process *p)
{
    p->edge = (struct edge){
        .doorman = &p->doorman,
        .greeter = &p->greeter,
        .ticker = &p->ticker,
        .clients = &p->clients,
        .rooms = &p->room_proxy,
        .worlds = &p->world_proxy,
        .arrivals = &p->arrivals,
        .passes = &p->passes,
        .routes = p->routes,
        .trusted = &p->trusted,
        .allowed_origins = &p->allowed_origins,
        .secrets = &p->secrets,
        .metrics = {.node = p->node,
                    .reach = &p->links.reach,
                    .io = &p->stats,
                    .worlds = &p->worlds,
                    .questions = &p->questions,
                    .heart = &p->heart,
                    .settings = &p->node_settings,
                    .addresses = &p->doorman.addresses,
                    .loop = p->loop,
                    .server = &p->server,
                    .doors = &p->doors},
        .gatekeeper = {.gate = gate_of(p), .stats = &p->stats},
        .witness = {.ticker = &p->ticker, .trusted = &p->trusted},
        .stats = &p->stats,
    };
    spent_init(&p->edge.gatekeeper.gate.spent, SPENT_MAX, loop_now(p->loop));
}

static void wire_door(struct process *p)
{
    p->server = http_server_new(p->loop, &edge_app, &p->edge, &p->limits, SPAN(""));
    doors_wire(&p->doors, &p->fronts, &p->limits, &p->stats.door);
}

static void wire_farewell(struct process *p)
{
    p->farewell = (struct farewell){
        .ticker = &p->ticker,
        .doors = &p->doors,
        .server = p->server,
        .doorman = &p->doorman,
        .greeter = &p->greeter,
        .clients = &p->clients,
        .forwards = &p->forwards,
        .tunnels = &p->tunnels,
        .peer_tunnels = &p->peer_tunnels,
        .passes = &p->passes,
        .links = &p->links,
        .reporter = &p->reporter,
    };
}

/* What `systemctl status` shows. */
static void add_status(void *ctx, struct buf *out)
{
    const struct process *p = ctx;
    const struct node_stats *stats = node_stats(p->node);
    buf_addf(out, "%" PRIu64 " clients, %" PRIu64 " shards", stats->clients, stats->shards);
}

static void wire_notify(struct process *p)
{
    notify_init(&p->notify, p->loop);
    p->notify.add_status = add_status;
    p->notify.ctx = p;
}

void process_wire(struct process *p)
{
    uint64_t seed;
    rng_bytes(&seed, sizeof seed);
    p->node = node_new(&process_port, p, &p->node_settings, seed, loop_now(p->loop));
    ticker_init(&p->ticker, p->loop, p->node);
    room_servers_init(&p->rooms, p->loop, &p->room_urls);
    worlds_init(&p->worlds, p->loop, &p->world_urls);
    room_links_init(&p->links, &p->ticker, &p->rooms, &p->secrets, &p->link_settings, &p->stats);
    reporter_init(&p->reporter, &p->ticker, &p->worlds, &p->secrets);
    heart_init(&p->heart, &p->ticker, &p->worlds, &p->secrets);
    edge_clients_init(&p->clients, &p->ticker, &p->client_settings, &p->settings, &p->stats);
    forwards_init(&p->forwards, p->stats.forwards, &p->stats.forwards_now);
    tunnels_init(&p->tunnels, p->loop, &p->stats.tunnels);
    wire_arrivals(p);
    wire_checkups(p);
    wire_passes(p);
    wire_proxies(p);
    wire_entrance(p);
    wire_edge(p);
    wire_door(p);
    wire_farewell(p);
    wire_notify(p);
    process_look(p);
}

void process_unwire(struct process *p)
{
    enum { TURNS = 3 }; /* what is aborted ends at the end of a turn, and may end others */
    notify_clear(&p->notify);
    wheel_cancel(loop_wheel(p->loop), &p->facts);
    ticker_stop(&p->ticker); /* a beat would find no worlds */
    checkups_clear(&p->checkups);
    doors_abort(&p->doors);
    farewell_stop(&p->farewell);
    forwards_clear(&p->forwards);
    tunnels_abort(&p->tunnels);
    tunnels_abort(&p->peer_tunnels);
    passes_abort(&p->passes);
    doorman_clear(&p->doorman);
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
    passes_clear(&p->passes);
    room_reach_clear(&p->links.reach);
    node_free(p->node);
    edge_clients_clear(&p->clients);
    greeter_clear(&p->greeter);
    edge_clear(&p->edge);
    buf_clear(&p->version);
    identity_clear(&p->identity);
}
