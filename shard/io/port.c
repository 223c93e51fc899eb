/* Core's port: each call goes to the part of the process that does it. */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "shard/io/process.h"

static void port_client_send(void *io, struct handle client, struct frame *frame)
{
    edge_client_send(&((struct process *)io)->clients, client, frame);
}

static void port_client_close(void *io, struct handle client, uint16_t code, struct span reason)
{
    struct process *p = io;
    if (!passes_close(&p->passes, client, code, reason))
        edge_client_close(&p->clients, client, code, reason);
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

static int64_t port_wall_ms(void *io)
{
    (void)io;
    return clock_wall_ms();
}

static void port_checkup(void *io, struct handle world, const struct checkup *asked)
{
    checkups_start(&((struct process *)io)->checkups, world, asked);
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

const struct node_port process_port = {
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
    .wall_ms = port_wall_ms,
    .checkup = port_checkup,
    .fatal = port_fatal,
};
