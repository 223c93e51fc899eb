/* Each client is a small state machine; the attempt's number tells what is over. */
#include "tests/sim/crowd.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/json.h"
#include "shard/core/seating.h"
#include "tests/sim/dial.h"
#include "tests/sim/site.h"
#include "tests/sim/spy.h"

enum {
    ASK_MS = 6000,       /* a client waits no longer for /connect, */
    GIVE_UP_MS = 4000,   /* nor for its socket */
    DALLY_MS = 10000,    /* between the promise and the dial of a polite client, at most */
    ANONYMOUS = 150,     /* clients without an id, in thousandths */
    NEVER_DIALS = 80,    /* of those who asked */
    THROUGH_OTHER = 500, /* enter at another node than their last one's */
};

/* The end of an attempt, as an argument of an item. */
struct moment_of {
    int client;
    uint64_t attempt;
    int station;
};

static struct moment_of *moment_new(const struct client *c, int station)
{
    struct moment_of *m = xmalloc(sizeof *m);
    *m = (struct moment_of){.client = c->index, .attempt = c->attempt, .station = station};
    return m;
}

static struct client *current(struct crowd *crowd, int client, uint64_t attempt)
{
    struct client *c = &crowd->clients[client];
    return c->attempt == attempt ? c : NULL;
}

static void go_away(struct client *c)
{
    c->state = CLIENT_AWAY;
    c->promised = false;
    c->attempt++;
}

/* ---- coming in */

static int some_node(struct sim *s)
{
    for (int tries = 0; tries < 20; tries++) {
        int host = 1 + (int)sim_below(s, (uint64_t)s->plan.nodes);
        if (s->hosts[host].up)
            return host;
    }
    return 0;
}

static void give_up(void *ctx, void *arg)
{
    const struct moment_of *m = arg;
    struct client *c = current(ctx, m->client, m->attempt);
    if (c == NULL || c->state != CLIENT_DIALING)
        return;
    sim_say(c->sim, "client %d gives up", c->index);
    if (c->sim->plan.polite)
        sim_fail(c->sim, "client %d, which %s, waits in vain", c->index,
                 c->promised ? "was promised a seat" : "comes back");
    go_away(c);
}

static void dial_now(struct client *c)
{
    struct sim *s = c->sim;
    int entry = some_node(s);
    if (entry == 0) {
        go_away(c);
        return;
    }
    c->state = CLIENT_DIALING;
    sim_say(s, "client %d dials %s through node-%d", c->index, c->shard, entry);
    sim_plan(s, GIVE_UP_MS, NULL, give_up, s->crowd, moment_new(c, 0));
    const struct dial_start start = {
        .client = c->index,
        .attempt = c->attempt,
        .shard = span_str(c->shard),
        .session = span_str(c->session),
        .entry = entry,
    };
    dial(s, &start);
}

static void dial_later(void *ctx, void *arg)
{
    const struct moment_of *m = arg;
    struct client *c = current(ctx, m->client, m->attempt);
    if (c != NULL && (c->state == CLIENT_HOLDING || c->state == CLIENT_WAITING))
        dial_now(c);
}

static void forget_promise(void *ctx, void *arg)
{
    const struct moment_of *m = arg;
    struct client *c = current(ctx, m->client, m->attempt);
    if (c != NULL && c->state == CLIENT_HOLDING)
        go_away(c);
}

static void take_promise(struct client *c, struct span shard)
{
    struct sim *s = c->sim;
    c->state = CLIENT_HOLDING;
    c->promised = true;
    c->promised_ms = s->now;
    (void)snprintf(c->shard, sizeof c->shard, "%.*s", SPAN_ARG(shard));
    sim_say(s, "client %d is told %s", c->index, c->shard);
    if (sim_chance(s, NEVER_DIALS))
        sim_plan(s, SIM_SEAT_TTL_MS, NULL, forget_promise, s->crowd, moment_new(c, 0));
    else if (sim_chance(s, 200))
        sim_plan(s, sim_between(s, 0, DALLY_MS), NULL, dial_later, s->crowd, moment_new(c, 0));
    else
        sim_plan(s, sim_between(s, 0, 200), NULL, dial_later, s->crowd, moment_new(c, 0));
}

static void connected(void *ctx, uint64_t tag, int status, struct span body)
{
    struct client *c = ctx;
    if (c->attempt != tag)
        return;
    json_t *doc = json_decode(body);
    struct span shard;
    if (status == 200 && json_get_span(doc, "shardId", &shard)) {
        take_promise(c, shard);
    } else {
        sim_say(c->sim, "client %d is refused by /connect: %d", c->index, status);
        go_away(c);
    }
    json_decref(doc);
}

static void ask(struct client *c)
{
    struct buf body = {.len = 0};
    c->state = CLIENT_ASKING;
    c->attempt++;
    buf_addf(&body, "{\"roomId\":\"room%d\",\"session\":\"%s\"}", c->room, c->session);
    const struct net_request request = {
        .kind = NET_CONNECT,
        .method = "POST",
        .path = "/parties/world/" SIM_WORLD_ID "/connect",
        .body = buf_span(&body),
        .timeout_ms = ASK_MS,
        .done = connected,
        .ctx = c,
        .tag = c->attempt,
    };
    net_post(c->sim->net, &request);
    buf_clear(&body);
}

/* To where it was, as the reference's client does, which asks only once. */
static void come_back(struct client *c, int64_t after_ms)
{
    c->state = CLIENT_WAITING;
    c->promised = false;
    c->attempt++;
    sim_plan(c->sim, after_ms, NULL, dial_later, c->sim->crowd, moment_new(c, 0));
}

/* ---- going */

static void node_learns(void *ctx, void *arg, enum node_reason why)
{
    struct crowd *crowd = ctx;
    const struct moment_of *m = arg;
    struct station *st = fleet_at(crowd->sim->fleet, m->station);
    struct socket *socket = st->core == NULL ? NULL : station_socket(st, m->client, m->attempt);
    struct client *c = &crowd->clients[m->client];
    struct spied_shard spied;
    if (socket == NULL)
        return;
    char shard[SIM_ID_MAX];
    (void)snprintf(shard, sizeof shard, "%s", socket->shard);
    station_close(st, m->client, m->attempt, why);
    bool is_last = spy_is_newcomer(st->core, span_str(shard), (struct span){.len = 0});
    LIST_EACH (&st->sockets, it) {
        const struct socket *other = CONTAINER_OF(it, struct socket, node);
        if (other->client == m->client && strcmp(other->shard, shard) == 0)
            is_last = false;
    }
    if (!is_last || why == NODE_PEER_CLOSED || c->session[0] == '\0' ||
        !spy_shard(st->core, span_str(shard), &spied) || !spied.is_bounded)
        return;
    c->kept = (struct keepsake){
        .station = m->station, .life = st->host->life, .since_ms = crowd->sim->now};
    (void)snprintf(c->kept.shard, sizeof c->kept.shard, "%s", shard);
}

static void node_learns_of_gone(void *ctx, void *arg)
{
    node_learns(ctx, arg, NODE_PEER_GONE);
}

static void node_learns_of_close(void *ctx, void *arg)
{
    node_learns(ctx, arg, NODE_PEER_CLOSED);
}

static void leave(struct client *c)
{
    struct sim *s = c->sim;
    sim_say(s, "client %d leaves %s", c->index, c->shard);
    sim_plan(s, sim_between(s, 1, 20), &s->hosts[c->station], node_learns_of_close, s->crowd,
             moment_new(c, c->station));
    go_away(c);
}

static void break_off(struct client *c)
{
    struct sim *s = c->sim;
    struct station *st = fleet_at(s->fleet, c->station);
    int64_t learns_ms = sim_chance(s, 300) ? sim_between(s, 1000, 30000) : sim_between(s, 0, 50);
    struct socket *socket = station_socket(st, c->index, c->attempt);
    sim_say(s, "client %d breaks off from %s at %s, which learns it in %lld ms", c->index, c->shard,
            st->id, (long long)learns_ms);
    if (c->session[0] == '\0' && s->plan.polite) {
        leave(c);
        return;
    }
    crowd_abandon(s->crowd, st, socket, learns_ms);
    if (s->plan.polite)
        come_back(c, sim_between(s, 0, 4000));
    else if (sim_chance(s, 800))
        come_back(c, sim_between(s, 0, 7000));
    else
        go_away(c);
}

/* ---- */

struct crowd *crowd_new(struct sim *s)
{
    struct crowd *crowd = xcalloc(1, sizeof *crowd);
    crowd->sim = s;
    for (int i = 0; i < SIM_CLIENTS_MAX; i++) {
        struct client *c = &crowd->clients[i];
        c->sim = s;
        c->index = i;
        c->room = (int)sim_below(s, (uint64_t)s->plan.rooms);
        if (!sim_chance(s, ANONYMOUS))
            (void)snprintf(c->session, sizeof c->session, "c%d", i);
    }
    return crowd;
}

void crowd_free(struct crowd *c)
{
    free(c);
}

/* A client that has never asked, or long ago: to an id that may be old, or nobody's. */
static void dial_rudely(struct client *c)
{
    c->attempt++;
    c->promised = false;
    if (c->shard[0] == '\0' || sim_chance(c->sim, 50))
        (void)snprintf(c->shard, sizeof c->shard, "room%d:" SIM_WORLD_ID ":1700000000000-%d",
                       c->room, (int)sim_below(c->sim, 3));
    dial_now(c);
}

void crowd_step(struct crowd *crowd)
{
    struct sim *s = crowd->sim;
    struct client *c = &crowd->clients[sim_below(s, (uint64_t)s->plan.clients)];
    switch (c->state) {
    case CLIENT_AWAY:
        if (!s->plan.polite && sim_chance(s, 150))
            dial_rudely(c);
        else
            ask(c);
        break;
    case CLIENT_OPEN:
        if (sim_chance(s, 400))
            leave(c);
        else if (sim_chance(s, 500))
            break_off(c);
        break;
    case CLIENT_ASKING:
    case CLIENT_HOLDING:
    case CLIENT_DIALING:
    case CLIENT_WAITING:
        break;
    }
}

bool crowd_opened(struct crowd *crowd, int client, uint64_t attempt, const struct station *st,
                  const char *shard)
{
    struct client *c = current(crowd, client, attempt);
    if (c == NULL || c->state != CLIENT_DIALING)
        return false;
    sim_say(c->sim, "client %d is in %s at %s", client, shard, st->id);
    c->state = CLIENT_OPEN;
    c->station = st->host->index;
    c->kept.station = 0;
    /* Others go on dialling what they were told first, as the reference's client does. */
    if (c->sim->plan.polite)
        (void)snprintf(c->shard, sizeof c->shard, "%s", shard);
    return true;
}

void crowd_refused(struct crowd *crowd, int client, uint64_t attempt, enum node_reason why)
{
    struct client *c = current(crowd, client, attempt);
    if (c == NULL || c->state != CLIENT_DIALING)
        return;
    sim_say(c->sim, "client %d is refused: %s", client, node_reason_text(why));
    if (c->sim->plan.polite)
        sim_fail(c->sim, "client %d, which %s of %s, is refused: %s", client,
                 c->promised ? "was promised a seat" : "comes back to its seat", c->shard,
                 node_reason_text(why));
    go_away(c);
}

void crowd_closed(struct crowd *crowd, int client, uint64_t attempt, uint16_t code)
{
    struct client *c = current(crowd, client, attempt);
    if (c == NULL)
        return;
    if (code == 1012 || code == 1013)
        come_back(c, sim_between(c->sim, 1000, 5000));
    else
        go_away(c);
}

void crowd_lost(struct crowd *crowd, int client, uint64_t attempt)
{
    struct client *c = crowd == NULL ? NULL : current(crowd, client, attempt);
    if (c != NULL && (c->state == CLIENT_OPEN || c->state == CLIENT_DIALING))
        come_back(c, sim_between(c->sim, 0, 3000));
}

void crowd_abandon(struct crowd *crowd, struct station *st, struct socket *socket, int64_t after_ms)
{
    if (socket == NULL)
        return;
    struct moment_of *m = xmalloc(sizeof *m);
    *m = (struct moment_of){
        .client = socket->client, .attempt = socket->attempt, .station = st->host->index};
    socket->is_dead = true;
    sim_plan(crowd->sim, after_ms, st->host, node_learns_of_gone, crowd, m);
}

void crowd_break(struct crowd *crowd, struct socket *socket)
{
    struct sim *s = crowd->sim;
    int client = socket->client;
    uint64_t attempt = socket->attempt;
    for (int i = 0; i < SIM_NODES_MAX; i++) {
        struct station *st = &s->fleet->stations[i];
        if (st->core != NULL && station_socket(st, client, attempt) == socket)
            crowd_abandon(crowd, st, socket, sim_between(s, 0, 500));
    }
    crowd_lost(crowd, client, attempt);
}

bool crowd_expects_seat(const struct crowd *crowd, int client, const struct station *st,
                        struct span shard)
{
    const struct keepsake *k = &crowd->clients[client].kept;
    struct spied_shard spied;
    return k->station == st->host->index && k->life == st->host->life &&
           span_eq(span_str(k->shard), shard) && crowd->sim->now - k->since_ms < SEATING_KEEP_MS &&
           !node_is_draining(st->core) &&
           node_stats(st->core)->clients < st->settings.max_connections &&
           spy_shard(st->core, shard, &spied) && !spied.is_draining;
}

/* Is in the shard, may come, or is expected back. */
static bool has_claim(const struct client *c)
{
    switch (c->state) {
    case CLIENT_OPEN:
    case CLIENT_HOLDING:
    case CLIENT_DIALING:
    case CLIENT_WAITING:
        return true;
    case CLIENT_AWAY:
    case CLIENT_ASKING:
        return false;
    }
    return false;
}

static uint64_t heads_in(const struct crowd *crowd, struct span shard)
{
    uint64_t count = 0;
    for (int i = 0; i < SIM_CLIENTS_MAX; i++) {
        const struct client *c = &crowd->clients[i];
        count += has_claim(c) && span_eq(span_str(c->shard), shard) ? 1 : 0;
    }
    return count;
}

void crowd_check_seats(const struct crowd *crowd)
{
    struct sim *s = crowd->sim;
    struct seen_shard seen;
    for (size_t at = 0; site_next_shard(s->site, &at, &seen);) {
        uint64_t heads = heads_in(crowd, seen.id);
        if (heads > seen.max)
            sim_fail(s, "%llu clients have or were promised one of the %llu seats of %.*s",
                     (unsigned long long)heads, (unsigned long long)seen.max, SPAN_ARG(seen.id));
    }
}
