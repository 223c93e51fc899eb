/* A dial is one leg, at the node that the client reached, and for each other node that is tried one
 * more. Legs live until the end of the run: late answers find them, and that nobody waits. */
#include "tests/sim/dial.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/crowd.h"

enum {
    HOP_MS = 2000,
    GONE_MIN_MS = 0,
    GONE_MAX_MS = 500,
    SILENT_MIN_MS = 5000,
    SILENT_MAX_MS = 35000
};

enum outcome { OUTCOME_OPEN, OUTCOME_ELSEWHERE, OUTCOME_REFUSED, OUTCOME_UNREACHABLE };

/* An arrival at one node. */
struct leg {
    struct list node; /* of the sim's dials */
    struct station *st;
    uint64_t life;     /* of the station's host */
    struct leg *entry; /* that sent it here; NULL: the client did */
    int client;
    uint64_t attempt;
    struct arrival is;
    char shard[SIM_ID_MAX], session[16], tried[16];
    struct leg *hop; /* that it waits for */
    bool expects_seat;
    /* How it ended. */
    enum outcome outcome;
    enum resolve_reason reason;
    enum node_reason why;
};

static struct leg *leg_new(struct sim *s, struct station *st)
{
    struct leg *leg = xcalloc(1, sizeof *leg);
    leg->st = st;
    leg->life = st->host->life;
    if (s->dials.next == NULL)
        list_init(&s->dials);
    list_push(&s->dials, &leg->node);
    return leg;
}

static void leg_name(struct leg *leg, struct span shard, struct span session)
{
    (void)snprintf(leg->shard, sizeof leg->shard, "%.*s", SPAN_ARG(shard));
    (void)snprintf(leg->session, sizeof leg->session, "%.*s", SPAN_ARG(session));
    leg->is.shard_id = span_str(leg->shard);
    leg->is.session = span_str(leg->session);
    leg->is.is_socket = true;
}

static void leg_go(struct leg *leg);

/* ---- the end of a leg */

/* A socket that nobody wants: its node learns of it after a while. */
static void abandon(struct leg *leg)
{
    struct sim *s = leg->st->sim;
    struct socket *socket =
        leg->st->core == NULL ? NULL : station_socket(leg->st, leg->client, leg->attempt);
    if (socket != NULL)
        crowd_abandon(s->crowd, leg->st, socket, sim_between(s, GONE_MIN_MS, GONE_MAX_MS));
}

static void tell_client(struct leg *leg, struct leg *served_by)
{
    struct crowd *crowd = leg->st->sim->crowd;
    if (served_by->outcome != OUTCOME_OPEN)
        crowd_refused(crowd, leg->client, leg->attempt, served_by->why);
    else if (!crowd_opened(crowd, leg->client, leg->attempt, served_by->st, served_by->shard))
        abandon(served_by);
}

static void tried_in_vain(struct leg *leg, enum resolve_reason why)
{
    leg->is.tried = span_str(leg->tried);
    leg->is.tried_why = why;
    node_misplaced(leg->st->core, leg->is.shard_id);
    station_touch(leg->st);
    leg_go(leg);
}

/* At the entry. */
static void hop_ended(void *ctx, void *arg)
{
    struct leg *hop = ctx, *leg = hop->entry;
    (void)arg;
    if (leg->hop != hop) { /* too late */
        if (hop->outcome == OUTCOME_OPEN)
            abandon(hop);
        return;
    }
    leg->hop = NULL;
    switch (hop->outcome) {
    case OUTCOME_OPEN:
    case OUTCOME_REFUSED:
        tell_client(leg, hop);
        break;
    case OUTCOME_ELSEWHERE:
        tried_in_vain(leg, hop->reason);
        break;
    case OUTCOME_UNREACHABLE:
        tried_in_vain(leg, RESOLVE_UNREACHABLE);
        break;
    }
}

/* The answer has reached the entry's machine. */
static void hop_told(void *ctx, void *arg)
{
    struct leg *hop = ctx, *leg = hop->entry;
    struct sim *s = leg->st->sim;
    (void)arg;
    if (leg->st->host->life != leg->life) {
        if (hop->outcome == OUTCOME_OPEN)
            abandon(hop);
        return;
    }
    sim_plan(s, 0, leg->st->host, hop_ended, hop, NULL);
}

static void leg_end(struct leg *leg, enum outcome outcome)
{
    struct sim *s = leg->st->sim;
    leg->outcome = outcome;
    if (leg->expects_seat && outcome != OUTCOME_OPEN)
        sim_fail(s, "client %d broke off from %s at %s, and its seat was not kept", leg->client,
                 leg->shard, leg->st->id);
    if (leg->entry == NULL) {
        tell_client(leg, leg);
    } else if (sim_reaches(leg->st->host, leg->entry->st->host)) {
        sim_plan(s, net_delay(s), NULL, hop_told, leg, NULL);
    } else if (outcome == OUTCOME_OPEN) {
        struct socket *socket = station_socket(leg->st, leg->client, leg->attempt);
        crowd_abandon(s->crowd, leg->st, socket, sim_between(s, SILENT_MIN_MS, SILENT_MAX_MS));
    }
}

/* ---- the other node */

static void hop_begins(void *ctx, void *arg)
{
    struct leg *hop = ctx;
    (void)arg;
    hop->life = hop->st->host->life;
    hop->is.since_ms = hop->st->sim->now;
    leg_go(hop);
}

static void hop_arrives(void *ctx, void *arg)
{
    struct leg *hop = ctx;
    struct sim *s = hop->st->sim;
    (void)arg;
    if (!sim_reaches(hop->st->host, hop->entry->st->host))
        return;
    if (!hop->st->host->up) {
        hop->outcome = OUTCOME_UNREACHABLE;
        sim_plan(s, net_delay(s), NULL, hop_told, hop, NULL);
        return;
    }
    sim_plan(s, 0, hop->st->host, hop_begins, hop, NULL);
}

static void hop_times_out(void *ctx, void *arg)
{
    struct leg *hop = ctx, *leg = hop->entry;
    (void)arg;
    if (leg->hop != hop)
        return;
    leg->hop = NULL;
    tried_in_vain(leg, RESOLVE_UNREACHABLE);
}

static void go_there(struct leg *leg, struct span node)
{
    struct sim *s = leg->st->sim;
    struct station *st = fleet_station(s->fleet, node);
    struct leg *hop = leg_new(s, st);
    (void)snprintf(leg->tried, sizeof leg->tried, "%.*s", SPAN_ARG(node));
    leg_name(hop, leg->is.shard_id, leg->is.session);
    hop->is.hopped = true;
    hop->entry = leg;
    hop->client = leg->client;
    hop->attempt = leg->attempt;
    leg->hop = hop;
    sim_plan(s, net_delay(s), NULL, hop_arrives, hop, NULL);
    sim_plan(s, HOP_MS, leg->st->host, hop_times_out, hop, NULL);
}

/* ---- the world */

static void resolved(void *ctx, uint64_t tag, int status, struct span body)
{
    struct leg *leg = ctx;
    struct span id = {.len = 0};
    (void)tag;
    enum told told = node_resolved(leg->st->core, &leg->is, status, body, leg->st->sim->now, &id);
    leg->is.asked++;
    leg->is.told = told;
    if (told == TOLD_OWNER && !span_eq(id, leg->is.shard_id)) {
        (void)snprintf(leg->shard, sizeof leg->shard, "%.*s", SPAN_ARG(id));
        leg->is.shard_id = span_str(leg->shard);
        leg->is.tried = (struct span){.len = 0};
    }
    station_touch(leg->st);
    leg_go(leg);
}

static void ask(struct leg *leg, const struct place *at)
{
    struct buf body = {.len = 0};
    const struct resolve r = {
        .asker = span_str(leg->st->id),
        .asker_epoch = node_epoch(leg->st->core),
        .shard_id = leg->is.shard_id,
        .session = leg->is.session,
        .reason = at->reason,
        .node = at->reason == RESOLVE_UNREACHABLE ? leg->is.tried : (struct span){.len = 0},
    };
    resolve_add(&body, &r);
    const struct net_request request = {
        .kind = NET_RESOLVE,
        .from = leg->st->host,
        .method = "POST",
        .path = "/parties/world/" SIM_WORLD_ID "/resolve",
        .body = buf_span(&body),
        .timeout_ms = PLACE_ASK_MS,
        .done = resolved,
        .ctx = leg,
    };
    net_post(leg->st->sim->net, &request);
    buf_clear(&body);
}

/* ---- what core says */

static void open_here(struct leg *leg)
{
    const struct socket socket = {
        .client = leg->client,
        .attempt = leg->attempt,
        .via = leg->entry == NULL ? leg->st->host->index : leg->entry->st->host->index,
    };
    enum err e = station_open(leg->st, leg->is.shard_id, leg->is.session, &socket, &leg->why);
    leg_end(leg, e == ERR_OK ? OUTCOME_OPEN : OUTCOME_REFUSED);
}

static void look_again(void *ctx, void *arg)
{
    (void)arg;
    leg_go(ctx);
}

static void leg_go(struct leg *leg)
{
    struct place at;
    struct sim *s = leg->st->sim;
    if (leg->is.asked == 0 && leg->is.tried.len == 0)
        leg->expects_seat = crowd_expects_seat(s->crowd, leg->client, leg->st, leg->is.shard_id);
    node_place(leg->st->core, &leg->is, s->now, &at);
    if (leg->expects_seat && at.kind != PLACE_HERE && at.kind != PLACE_WAIT)
        sim_fail(s, "client %d broke off from %s at %s, and is sent elsewhere", leg->client,
                 leg->shard, leg->st->id);
    switch (at.kind) {
    case PLACE_WAIT:
        sim_plan(s, PLACE_LOOK_MS, leg->st->host, look_again, leg, NULL);
        break;
    case PLACE_HERE:
        open_here(leg);
        break;
    case PLACE_THERE:
        go_there(leg, at.node);
        break;
    case PLACE_ASK:
        ask(leg, &at);
        break;
    case PLACE_ELSEWHERE:
        leg->reason = at.reason;
        leg_end(leg, OUTCOME_ELSEWHERE);
        break;
    case PLACE_REFUSED:
        leg->why = at.why;
        leg_end(leg, OUTCOME_REFUSED);
        break;
    }
    station_touch(leg->st);
}

static void begin(void *ctx, void *arg)
{
    struct leg *leg = ctx;
    (void)arg;
    leg->is.since_ms = leg->st->sim->now;
    leg_go(leg);
}

void dial(struct sim *s, const struct dial_start *start)
{
    struct leg *leg = leg_new(s, fleet_at(s->fleet, start->entry));
    leg->client = start->client;
    leg->attempt = start->attempt;
    leg_name(leg, start->shard, start->session);
    sim_plan(s, sim_between(s, 1, 20), leg->st->host, begin, leg, NULL);
}

void dials_clear(struct sim *s)
{
    for (struct list *it; (it = list_first(&s->dials)) != NULL;) {
        list_remove(it);
        free(CONTAINER_OF(it, struct leg, node));
    }
}
