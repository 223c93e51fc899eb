/* A run: its clock, its dice, its trace. */
#include "tests/sim/leases/cluster.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cluster_note(struct cluster *c, const char *fmt, ...)
{
    char *line = c->trace[c->traced++ % TRACE_LINES];
    int len = snprintf(line, TRACE_WIDTH, "%6d ", (int)c->now);
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(line + len, TRACE_WIDTH - (size_t)len, fmt, args);
    va_end(args);
}

void cluster_fail(struct cluster *c, const char *what)
{
    if (c->failed != NULL)
        return;
    c->failed = what;
    for (int w = 0; w < WORLDS; w++) {
        for (int i = 0; i < PROCS; i++) {
            const struct proc *p = &c->procs[i];
            const struct lease *lease = p->up ? map_get(&p->l->by_world, world_name(w)) : NULL;
            if (lease != NULL)
                cluster_note(c, "w%d p%d.%d: state %d owner %d%s%s%s%s", w, i, (int)p->life,
                             (int)lease->state, (int)proc_owner(p, w),
                             proc_is_extended(p, w) ? " late" : "", p->l->away ? " away" : "",
                             lease->outdated ? " outdated" : "", proc_runs(p) ? "" : " still");
        }
    }
    cluster_note(c, "%s", what);
}

int64_t cluster_below(struct cluster *c, int64_t n)
{
    return (int64_t)rng_below(&c->rng, (uint64_t)n);
}

bool cluster_chance(struct cluster *c, int per_mille)
{
    return cluster_below(c, 1000) < per_mille;
}

int64_t cluster_delay(struct cluster *c)
{
    return 1 + cluster_below(c, cluster_chance(c, c->slow) ? 600 : 8);
}

bool cluster_is_calm(const struct cluster *c)
{
    return c->now >= c->chaos_until;
}

void cluster_plan(struct cluster *c, int64_t in_ms, void (*run)(void *ctx, void *arg), void *arg)
{
    agenda_add(&c->agenda,
               (struct item){.due_ms = c->now + in_ms, .run = run, .ctx = c, .arg = arg});
}

static void on_traffic(void *ctx, void *arg)
{
    struct cluster *c = ctx;

    (void)arg;
    traffic_step(c);
    cluster_plan(c, 1 + cluster_below(c, 60), on_traffic, NULL);
}

static void on_chaos(void *ctx, void *arg)
{
    struct cluster *c = ctx;

    (void)arg;
    if (cluster_is_calm(c)) {
        chaos_end(c);
        return;
    }
    chaos_step(c);
    cluster_plan(c, 1 + cluster_below(c, 2500), on_chaos, NULL);
}

static void on_replica(void *ctx, void *arg)
{
    struct cluster *c = ctx;

    (void)arg;
    redis_replicate(c);
    cluster_plan(c, REPLICA_MS, on_replica, NULL);
}

static void begin(struct cluster *c, uint64_t seed)
{
    *c = (struct cluster){.chaos_until = CHAOS_MS};
    rng_seed(&c->rng, seed);
    c->honest = seed % 2 == 0;
    c->polite = seed % 10 == 0;
    c->loss = !c->polite && cluster_chance(c, 500) ? (int)cluster_below(c, 50) : 0;
    c->slow = !c->polite && cluster_chance(c, 500) ? (int)cluster_below(c, 100) : 0;
    c->sound = c->loss == 0 && c->slow == 0;
    c->redis.up = true;
    for (int i = 0; i < PROCS; i++) {
        c->procs[i].c = c;
        c->procs[i].index = i;
        proc_start(&c->procs[i]);
    }
    on_traffic(c, NULL);
    on_replica(c, NULL);
    cluster_plan(c, 3000, on_chaos, NULL);
}

static void print_trace(const struct cluster *c, uint64_t seed)
{
    size_t from = c->traced > TRACE_LINES ? c->traced - TRACE_LINES : 0;

    printf("seed %d\n", (int)seed);
    for (size_t i = from; i < c->traced; i++)
        printf("%s\n", c->trace[i % TRACE_LINES]);
}

bool cluster_run(uint64_t seed, bool is_traced, struct cluster *c)
{
    struct item item;

    begin(c, seed);
    /* The clocks of calm may still be busy with the last of chaos. */
    while (c->failed == NULL && agenda_next_ms(&c->agenda) <= CHAOS_MS + CALM_MS) {
        (void)agenda_pop(&c->agenda, &item);
        c->now = item.due_ms;
        item.run(item.ctx, item.arg);
        free(item.arg);
        checks_always(c);
    }
    if (c->failed == NULL)
        checks_at_end(c);
    if (c->failed != NULL || is_traced)
        print_trace(c, seed);
    for (int i = 0; i < PROCS; i++) {
        if (c->procs[i].up)
            proc_stop(&c->procs[i]);
    }
    agenda_clear(&c->agenda);
    return c->failed == NULL;
}
