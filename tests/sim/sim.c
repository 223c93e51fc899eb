/* The clock, the steps and the record of what happened. */
#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/chaos.h"
#include "tests/sim/checks.h"
#include "tests/sim/crowd.h"
#include "tests/sim/dial.h"
#include "tests/sim/rooms.h"
#include "tests/sim/site.h"

enum {
    SETTLE_MS = 90 * 1000, /* seats that are kept, promises, silent nodes: all of it is over then */
    START_MS = 1000000,    /* monotonic */
    POLITE_EVERY = 4,      /* seeds: one of so many */
    ITEMS_MAX = 2000000,   /* something goes on for ever */
    CLIENTS_ACT = 800,     /* steps in thousandths; the rest is chaos */
};

static struct sim *under_way;

uint64_t sim_below(struct sim *s, uint64_t n)
{
    return rng_below(&s->rng, n);
}

bool sim_chance(struct sim *s, int thousandths)
{
    return (int)sim_below(s, 1000) < thousandths;
}

int64_t sim_between(struct sim *s, int64_t min, int64_t max)
{
    return min + (int64_t)sim_below(s, (uint64_t)(max - min) + 1);
}

void sim_plan(struct sim *s, int64_t after_ms, struct host *host, void (*run)(void *ctx, void *arg),
              void *ctx, void *arg)
{
    agenda_add(&s->agenda, (struct item){
                               .due_ms = s->now + after_ms,
                               .host = host,
                               .life = host == NULL ? 0 : host->life,
                               .run = run,
                               .ctx = ctx,
                               .arg = arg,
                           });
}

void sim_say(struct sim *s, const char *fmt, ...)
{
    char *line = s->trace[s->traced++ % SIM_TRACE_LINES];
    int at = snprintf(line, SIM_TRACE_WIDTH, "%10.3f step %" PRIu64 "  ",
                      (double)(s->now - START_MS) / 1000, s->step);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line + at, SIM_TRACE_WIDTH - (size_t)at, fmt, args);
    va_end(args);
    if (s->is_traced)
        (void)puts(line);
}

void sim_fail(struct sim *s, const char *fmt, ...)
{
    va_list args;
    if (s->failed)
        return;
    s->failed = true;
    va_start(args, fmt);
    (void)vsnprintf(s->why, sizeof s->why, fmt, args);
    va_end(args);
}

static void print_last(const struct sim *s, const char *why)
{
    uint64_t from = s->traced > SIM_TRACE_LINES ? s->traced - SIM_TRACE_LINES : 0;
    if (!s->is_traced) {
        for (uint64_t i = from; i < s->traced; i++)
            printf("%s\n", s->trace[i % SIM_TRACE_LINES]);
    }
    printf("FAIL seed %" PRIu64 " step %" PRIu64 " of %" PRIu64 "%s at %.3f s: %s\n", s->seed,
           s->step, s->steps, s->plan.polite ? " (polite)" : "", (double)(s->now - START_MS) / 1000,
           why);
    (void)fflush(stdout);
}

void sim_print_last(const char *why)
{
    if (under_way != NULL)
        print_last(under_way, why);
}

/* ---- time */

/* False: a process that stands still, or an earlier life of one. */
static bool may_run(struct sim *s, struct item *item)
{
    struct host *h = item->host;
    if (h == NULL)
        return true;
    if (!h->up || h->life != item->life) {
        free(item->arg);
        return false;
    }
    if (s->now >= h->stalled_until)
        return true;
    item->due_ms = h->stalled_until;
    agenda_add(&s->agenda, *item);
    return false;
}

static void run_item(struct item *item)
{
    item->run(item->ctx, item->arg);
    free(item->arg);
}

static void pass_until(struct sim *s, int64_t until_ms)
{
    struct item item;
    for (int i = 0; !s->failed && agenda_next_ms(&s->agenda) <= until_ms; i++) {
        (void)agenda_pop(&s->agenda, &item);
        s->now = item.due_ms;
        if (may_run(s, &item))
            run_item(&item);
        if (i == ITEMS_MAX)
            sim_fail(s, "something goes on for ever");
    }
    s->now = until_ms;
}

/* ---- a run */

static struct plan plan_of(struct sim *s)
{
    struct plan p = {
        .polite = s->seed % POLITE_EVERY == 0,
        .nodes = (int)sim_between(s, 1, SIM_NODES_MAX),
        .clients = (int)sim_between(s, 5, SIM_CLIENTS_MAX),
        .rooms = (int)sim_between(s, 1, SIM_ROOMS_MAX),
        .delay_max_ms = sim_between(s, 1, 60),
        .slow = (int)sim_below(s, 30),
        .pause_ms = sim_between(s, 50, 1500),
        .max_connections = 1000,
    };
    if (p.polite)
        return p;
    p.loss = sim_chance(s, 500) ? (int)sim_below(s, 20) : (int)sim_below(s, 300);
    p.repeats = (int)sim_below(s, 60);
    p.is_cramped = sim_chance(s, 200);
    if (p.is_cramped)
        p.max_connections = (uint64_t)sim_between(s, 5, 30);
    return p;
}

static void begin(struct sim *s)
{
    rng_seed(&s->rng, s->seed);
    s->now = START_MS;
    s->plan = plan_of(s);
    for (int i = 0; i <= SIM_NODES_MAX; i++)
        s->hosts[i] = (struct host){.index = i};
    s->net = net_new(s);
    s->site = site_new(s);
    s->rooms = rooms_new(s);
    s->fleet = fleet_new(s);
    s->crowd = crowd_new(s);
    site_start(s->site);
    for (int i = 0; i < s->plan.nodes; i++)
        station_start(&s->fleet->stations[i]);
    pass_until(s, s->now + 2000);
}

static void end(struct sim *s)
{
    crowd_free(s->crowd);
    s->crowd = NULL;
    fleet_free(s->fleet);
    site_free(s->site);
    rooms_free(s->rooms);
    agenda_clear(&s->agenda);
    dials_clear(s);
    net_free(s->net);
    free(s);
}

static void take_steps(struct sim *s)
{
    for (s->step = 1; s->step <= s->steps && !s->failed; s->step++) {
        if (sim_chance(s, CLIENTS_ACT))
            crowd_step(s->crowd);
        else
            chaos_step(s);
        checks_cluster(s);
        pass_until(s, s->now + sim_between(s, 0, s->plan.pause_ms));
    }
}

bool sim_run(uint64_t seed, uint64_t steps, bool is_traced)
{
    struct sim *s = xcalloc(1, sizeof *s);
    s->seed = seed;
    s->steps = steps;
    s->is_traced = is_traced;
    under_way = s;
    begin(s);
    take_steps(s);
    if (!s->failed) {
        chaos_end(s);
        pass_until(s, s->now + SETTLE_MS);
    }
    if (!s->failed)
        checks_converged(s);
    if (!s->failed)
        rooms_check(s->rooms);
    bool good = !s->failed;
    if (!good)
        print_last(s, s->why);
    under_way = NULL;
    end(s);
    return good;
}
