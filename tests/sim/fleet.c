/* Each node's core between a network of its own and the clients. */
#include "tests/sim/fleet.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/checks.h"
#include "tests/sim/crowd.h"
#include "tests/sim/rooms.h"
#include "tests/sim/spy.h"

enum { LINK_MS = 5, BEAT_TIMEOUT_MS = 1000, RESTART_MS = 4000 };
enum { PASSING = 250 }; /* clients that go past the link, in thousandths */

/* What core asked for, as an argument of an item. */
struct errand {
    struct handle handle;
    uint32_t number;
};

static struct errand *errand_new(struct handle h, uint32_t number)
{
    struct errand *e = xmalloc(sizeof *e);
    *e = (struct errand){.handle = h, .number = number};
    return e;
}

static int64_t now_of(const struct station *st)
{
    return st->sim->now;
}

/* ---- the port; io is the station */

static void port_send(void *io, struct handle client, struct frame *frame)
{
    (void)io;
    (void)client;
    (void)frame;
}

static void port_close(void *io, struct handle client, uint16_t code, struct span reason)
{
    struct station *st = io;
    LIST_EACH (&st->sockets, it) {
        struct socket *socket = CONTAINER_OF(it, struct socket, node);
        if (!handle_eq(socket->handle, client))
            continue;
        sim_say(st->sim, "%s closes client %d: %u %.*s", st->id, socket->client, code,
                SPAN_ARG(reason));
        if (!socket->is_dead)
            crowd_closed(st->sim->crowd, socket->client, socket->attempt, code);
        list_remove(&socket->node);
        free(socket);
        return;
    }
    sim_fail(st->sim, "%s closes a client that it does not have", st->id);
}

static void port_pause(void *io, struct handle client, bool pause)
{
    (void)io;
    (void)client;
    (void)pause;
}

static void link_stands(void *ctx, void *arg)
{
    struct station *st = ctx;
    const struct errand *e = arg;
    if (!st->sim->calm && !st->sim->plan.polite && sim_chance(st->sim, 50))
        node_link_down(st->core, e->handle, 0, now_of(st));
    else
        node_link_up(st->core, e->handle, now_of(st));
    station_touch(st);
}

static void link_falls(void *ctx, void *arg)
{
    struct station *st = ctx;
    node_link_down(st->core, ((struct errand *)arg)->handle, 0, now_of(st));
    station_touch(st);
}

static void link_answers(void *ctx, void *arg)
{
    struct station *st = ctx;
    const struct errand *e = arg;
    node_link_pong(st->core, e->handle, e->number, now_of(st));
    station_touch(st);
}

static void port_dial(void *io, struct handle link, struct span shard, struct span world,
                      struct span room, struct span server)
{
    struct station *st = io;
    (void)shard;
    (void)world;
    (void)room;
    (void)server;
    sim_plan(st->sim, LINK_MS, st->host, link_stands, st, errand_new(link, 0));
}

static void port_link_send(void *io, struct handle link, struct span text)
{
    struct station *st = io;
    rooms_hear(st->sim->rooms, spy_room(st->core, link), text);
}

static void port_link_close(void *io, struct handle link, uint16_t code)
{
    (void)io;
    (void)link;
    (void)code;
}

static void port_link_finish(void *io, struct handle link, uint16_t code)
{
    struct station *st = io;
    (void)code;
    sim_plan(st->sim, LINK_MS, st->host, link_falls, st, errand_new(link, 0));
}

static size_t port_queued(void *io, struct handle link)
{
    (void)io;
    (void)link;
    return 0;
}

static void port_ping(void *io, struct handle link, uint32_t number)
{
    struct station *st = io;
    sim_plan(st->sim, LINK_MS, st->host, link_answers, st, errand_new(link, number));
}

/* The handle of a world, in one number. */
static uint64_t pack(struct handle h)
{
    return (uint64_t)h.gen << 32 | h.slot;
}

static void beat_answered(void *ctx, uint64_t tag, int status, struct span body)
{
    struct station *st = ctx;
    const struct handle world = {.slot = (uint32_t)tag, .gen = (uint32_t)(tag >> 32)};
    if (st->sim->is_traced)
        sim_say(st->sim, "%s is answered %d %.*s", st->id, status, SPAN_ARG(body));
    node_beat_answered(st->core, world, status, body, now_of(st));
    station_touch(st);
    checks_owned(st);
}

static void port_beat(void *io, struct handle world, struct span world_id, struct span body)
{
    struct station *st = io;
    const struct net_request request = {
        .kind = NET_BEAT,
        .from = st->host,
        .method = "POST",
        .path = "/parties/world/" SIM_WORLD_ID "/heartbeat",
        .body = body,
        .timeout_ms = BEAT_TIMEOUT_MS,
        .done = beat_answered,
        .ctx = st,
        .tag = pack(world),
    };
    (void)world_id;
    if (st->sim->is_traced)
        sim_say(st->sim, "%s beats %.*s", st->id, SPAN_ARG(body));
    net_post(st->sim->net, &request);
}

static void port_report(void *io, struct handle shard, struct span shard_id, struct span world,
                        uint64_t connections)
{
    struct station *st = io;
    (void)shard;
    (void)shard_id;
    (void)world;
    (void)connections;
    sim_fail(st->sim, "%s takes the world for a reference one", st->id);
}

static void start_again(void *ctx, void *arg)
{
    struct station *st = ctx;
    (void)arg;
    if (st->core == NULL)
        station_start(st);
}

/* Whoever supervises it starts it again. */
static void end_failing(void *ctx, void *arg)
{
    struct station *st = ctx;
    (void)arg;
    station_kill(st);
    sim_plan(st->sim, RESTART_MS, NULL, start_again, st, NULL);
}

static void port_fatal(void *io, struct span why)
{
    struct station *st = io;
    sim_say(st->sim, "%s: %.*s", st->id, SPAN_ARG(why));
    sim_plan(st->sim, 0, st->host, end_failing, st, NULL);
}

/* ---- its life */

struct fleet *fleet_new(struct sim *s)
{
    struct fleet *f = xcalloc(1, sizeof *f);
    f->sim = s;
    f->port = (struct node_port){
        .client_send = port_send,
        .client_close = port_close,
        .client_pause = port_pause,
        .link_dial = port_dial,
        .link_send = port_link_send,
        .link_close = port_link_close,
        .link_finish = port_link_finish,
        .link_queued = port_queued,
        .link_ping = port_ping,
        .beat = port_beat,
        .report = port_report,
        .fatal = port_fatal,
    };
    for (int i = 0; i < SIM_NODES_MAX; i++) {
        struct station *st = &f->stations[i];
        st->sim = s;
        st->host = &s->hosts[i + 1];
        list_init(&st->sockets);
        (void)snprintf(st->id, sizeof st->id, "node-%d", i + 1);
        (void)snprintf(st->url, sizeof st->url, "http://10.0.0.%d:3010", i + 1);
    }
    return f;
}

void fleet_free(struct fleet *f)
{
    for (int i = 0; i < SIM_NODES_MAX; i++)
        station_kill(&f->stations[i]);
    free(f);
}

struct station *fleet_station(struct fleet *f, struct span id)
{
    for (int i = 0; i < SIM_NODES_MAX; i++) {
        if (span_eq(id, span_str(f->stations[i].id)))
            return &f->stations[i];
    }
    return NULL;
}

void station_start(struct station *st)
{
    struct sim *s = st->sim;
    st->settings = (struct node_settings){
        .id = st->id,
        .epoch = sim_wall(s, st->host),
        .url = st->url,
        .internal_url = st->url,
        .version = "sim",
        .world_ids = SIM_WORLD_ID,
        .enforce_seats = true,
        .adopt = true,
        .drain_ms = 10000,
        .world_id = SIM_WORLD_ID,
        .has_rooms = true,
        .report_ms = 30000,
        .beat_ms = 1000,
        .link_wait_ms = 15000,
        .link_first_ms = 3000,
        .link_buffer = 1 << 20,
        .link_retry_min_ms = 100,
        .link_retry_max_ms = 1000,
        .max_connections = s->plan.max_connections,
        .max_shards = 1000,
        .max_room_id = 8192,
        .max_session_id = 4096,
    };
    st->host->up = true;
    st->ends = false;
    st->due_ms = INT64_MAX;
    st->seen_epoch = st->seen_version = 0;
    st->core = node_new(&s->fleet->port, st, &st->settings, rng_next(&s->rng), s->now);
    sim_say(s, "%s starts", st->id);
    station_touch(st);
}

static void lose_sockets(struct station *st)
{
    for (struct list *it; (it = list_first(&st->sockets)) != NULL;) {
        struct socket *socket = CONTAINER_OF(it, struct socket, node);
        list_remove(it);
        if (!socket->is_dead)
            crowd_lost(st->sim->crowd, socket->client, socket->attempt);
        free(socket);
    }
}

/* Those who came through it to other nodes have lost their way, too. */
static void break_tunnels(struct station *st)
{
    struct sim *s = st->sim;
    for (int i = 0; i < SIM_NODES_MAX; i++) {
        LIST_EACH (&s->fleet->stations[i].sockets, it) {
            struct socket *socket = CONTAINER_OF(it, struct socket, node);
            if (socket->via == st->host->index && !socket->is_dead)
                crowd_break(s->crowd, socket);
        }
    }
}

void station_kill(struct station *st)
{
    if (st->core == NULL)
        return;
    sim_say(st->sim, "%s is gone", st->id);
    rooms_lose_node(st->sim->rooms, st);
    lose_sockets(st);
    if (st->sim->crowd != NULL)
        break_tunnels(st);
    node_free(st->core);
    st->core = NULL;
    st->host->up = false;
    st->host->life++;
    st->host->stalled_until = 0;
    net_forget(st->sim->net, st->host);
}

static void look_whether_over(void *ctx, void *arg)
{
    struct station *st = ctx;
    (void)arg;
    if (node_has_ended(st->core) && list_empty(&st->sockets))
        node_say_gone(st->core);
    if (node_has_ended(st->core) && node_has_said_gone(st->core)) {
        station_kill(st);
        return;
    }
    station_touch(st);
    sim_plan(st->sim, 100, st->host, look_whether_over, st, NULL);
}

void station_end(struct station *st)
{
    st->ends = true;
    node_end(st->core, now_of(st));
    sim_plan(st->sim, 100, st->host, look_whether_over, st, NULL);
    station_touch(st);
}

static void tick(void *ctx, void *arg)
{
    struct station *st = ctx;
    (void)arg;
    st->due_ms = INT64_MAX;
    node_tick(st->core, now_of(st));
    station_touch(st);
}

void station_touch(struct station *st)
{
    int64_t due_ms = node_next_ms(st->core), now = now_of(st);
    checks_station(st);
    if (due_ms == INT64_MAX)
        return;
    due_ms = due_ms < now ? now : due_ms;
    if (due_ms >= st->due_ms)
        return;
    st->due_ms = due_ms;
    sim_plan(st->sim, due_ms - now, st->host, tick, st, NULL);
}

/* ---- sockets */

enum err station_open(struct station *st, struct span shard, struct span session,
                      const struct socket *from, enum node_reason *why)
{
    bool is_new = spy_is_newcomer(st->core, shard, session);
    struct socket *socket = xmalloc(sizeof *socket);
    *socket = *from;
    (void)snprintf(socket->shard, sizeof socket->shard, "%.*s", SPAN_ARG(shard));
    socket->passes = sim_chance(st->sim, PASSING);
    enum err e = socket->passes
                     ? node_client_pass(st->core, shard, session, sim_chance(st->sim, 500),
                                        now_of(st), &socket->handle, why)
                     : node_client_open(st->core, shard, session, SPAN("{}"), now_of(st),
                                        &socket->handle, why);
    if (e == ERR_OK) {
        list_push(&st->sockets, &socket->node);
        checks_admitted(st, shard, is_new);
    } else {
        free(socket);
    }
    station_touch(st);
    return e;
}

struct socket *station_socket(struct station *st, int client, uint64_t attempt)
{
    LIST_EACH (&st->sockets, it) {
        struct socket *socket = CONTAINER_OF(it, struct socket, node);
        if (socket->client == client && socket->attempt == attempt)
            return socket;
    }
    return NULL;
}

void station_close(struct station *st, int client, uint64_t attempt, enum node_reason why)
{
    struct socket *socket = st->core == NULL ? NULL : station_socket(st, client, attempt);
    if (socket == NULL)
        return;
    struct handle h = socket->handle;
    list_remove(&socket->node);
    free(socket);
    node_client_closed(st->core, h, why, now_of(st));
    station_touch(st);
}

void station_drop_link(struct station *st)
{
    struct spied_shard shard;
    struct handle link;
    size_t at = 0;
    while (spy_next_shard(st->core, &at, &shard)) {
        if (!spy_link(st->core, shard.id, &link) || !sim_chance(st->sim, 300))
            continue;
        node_link_down(st->core, link, 0, now_of(st));
        break;
    }
    station_touch(st);
}
