/* Puts the parts of a world process together, and takes them apart. */
#include "world/io/process.h"

#include "world/io/moment_now.h"
#include "world/io/streams.h"

static void close_doors(void *ctx)
{
    struct process *p = ctx;

    doors_close(&p->doors);
    listener_close(p->back_listener);
    p->back_listener = NULL;
    p->metrics.back_listener = NULL;
}

/* What `systemctl status` shows. */
static void add_status(void *ctx, struct buf *out)
{
    const struct process *p = ctx;

    buf_addf(out, "%zu connections, %zu admins", server_connections(&p->server),
             feed_sockets_count(&p->feeds));
}

static void wire_notify(struct process *p)
{
    notify_init(&p->notify, p->loop);
    p->notify.add_status = add_status;
    p->notify.ctx = p;
}

static void wire_port(struct process *p)
{
    p->port.reply = server_reply_port(&p->server);
    p->port.stream = server_stream_port(&p->server);
    p->port.feed = feed_sockets_port(&p->feeds);
    p->port.store = stores_port(&p->stores);
    p->port.owner = stores_owner_port(&p->stores);
    p->port.ticker = (struct ticker_port){.ctx = &p->ticker, .wake = ticker_wake};
    p->port.probe = prober_port(&p->prober);
    if (p->stores.cluster != NULL)
        p->port.peers = cluster_peers_port(p->stores.cluster);
}

static void wire_metrics(struct process *p)
{
    p->metrics.loop = p->loop;
    p->metrics.doors = &p->doors;
    p->metrics.door = &p->door_stats;
    p->metrics.core = &p->core;
    p->metrics.http = p->server.front.http;
    p->metrics.back_http = p->server.back.http;
    p->metrics.feeds = &p->feeds;
    p->metrics.shards = &p->shards.stats;
    p->metrics.store = stores_stats(&p->stores);
    p->metrics.cluster = p->stores.cluster;
    if (p->stores.cluster != NULL)
        p->metrics.passage = &cluster_stats(p->stores.cluster)->passage;
}

void process_wire(struct process *p)
{
    struct rng rng;

    rng_init(&rng);
    ticker_init(&p->ticker, p->loop, &p->core);
    prober_init(&p->prober, p->loop, &p->core);
    wire_notify(p);
    feed_sockets_init(&p->feeds, p->loop, &p->core, &p->ws_settings);
    server_init(&p->server, p->loop, &p->core, &p->feeds, &p->metrics, &p->server_settings);
    shard_proxy_init(&p->shards, p->loop, &p->server, p->server_settings.secrets,
                     (size_t)p->settings.world_tunnels);
    p->server.shards = &p->shards;
    doors_wire(&p->doors, &p->fronts, &p->server_settings.limits, &p->door_stats);
    wire_port(p);
    core_init(&p->core, &p->port, &p->core_settings, &rng, moment_now(p->loop));
    wire_metrics(p);
    p->farewell = (struct farewell){
        .loop = p->loop,
        .server = &p->server,
        .feeds = &p->feeds,
        .shards = &p->shards,
        .close_doors = close_doors,
        .ctx = p,
        .cluster = p->stores.cluster,
    };
    process_look(p);
    process_watch_store(p);
}

bool process_unwire(struct process *p)
{
    enum { TURNS = 3 }; /* what is aborted ends at the end of a turn, and may end others */
    bool kept;

    notify_clear(&p->notify);
    farewell_stop(&p->farewell);
    process_look_away(p);
    close_doors(p);
    doors_abort(&p->doors);
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
