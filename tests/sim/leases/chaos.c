/* What befalls the cluster. Whatever begins here also ends. */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/sim/leases/cluster.h"

enum {
    CUT_MAX_MS = 8000,
    STALL_MAX_MS = 6000,
    DOWN_MAX_MS = 5000,
    CLOCK_MAX_MS = 5000,
    STEADY_MS = 5000
};

struct end {
    int a, b;
    uint64_t life;
};

static void plan_end(struct cluster *c, int64_t in_ms, void (*run)(void *ctx, void *arg),
                     struct end end)
{
    struct end *arg = xmalloc(sizeof *arg);

    *arg = end;
    cluster_plan(c, in_ms, run, arg);
}

static void set_cut(struct cluster *c, int a, int b, bool is_cut)
{
    cluster_note(c, "p%d and p%d: %s", a, b, is_cut ? "cut" : "joined");
    c->cut_peer[a][b] = c->cut_peer[b][a] = is_cut;
}

static void end_peer_cut(void *ctx, void *arg)
{
    const struct end *end = arg;

    set_cut(ctx, end->a, end->b, false);
}

static void set_redis_cut(struct cluster *c, int a, bool is_cut)
{
    struct proc *p = &c->procs[a];

    cluster_note(c, "p%d: Redis is %s", a, is_cut ? "cut off" : "there again");
    c->cut_redis[a] = is_cut;
    if (!is_cut && c->redis.up && proc_runs(p) && cluster_chance(c, 500))
        leases_redis_up(p->l, proc_clock(p));
}

static void end_redis_cut(void *ctx, void *arg)
{
    set_redis_cut(ctx, ((const struct end *)arg)->a, false);
}

static void redis_is_up(void *ctx, void *arg)
{
    struct cluster *c = ctx;

    (void)arg;
    cluster_note(c, "Redis is up");
    c->redis.up = true;
    c->redis.up_ms = c->now;
}

static void start(void *ctx, void *arg)
{
    struct cluster *c = ctx;
    struct proc *p = &c->procs[((const struct end *)arg)->a];

    if (p->up)
        return;
    proc_start(p);
    cluster_note(c, "p%d.%d starts", p->index, (int)p->life);
}

static void kill_proc(struct cluster *c, struct proc *p)
{
    cluster_note(c, "p%d ends", p->index);
    proc_stop(p);
    plan_end(c, cluster_below(c, DOWN_MAX_MS), start, (struct end){.a = p->index});
}

/* SIGTERM: until all is freed, or 2 s are over. */
static void look_at_end(void *ctx, void *arg)
{
    struct cluster *c = ctx;
    const struct end *end = arg;
    struct proc *p = &c->procs[end->a];

    if (!p->up || p->life != end->life)
        return;
    if (leases_are_released(p->l) || c->now >= end->b)
        kill_proc(c, p);
    else
        plan_end(c, 50, look_at_end, *end);
}

static void terminate(struct cluster *c, struct proc *p)
{
    if (p->ending)
        return;
    cluster_note(c, "p%d: SIGTERM", p->index);
    p->ending = true;
    leases_release(p->l);
    plan_end(c, 1, look_at_end,
             (struct end){.a = p->index, .b = (int)c->now + 2000, .life = p->life});
}

/* Redis itself. */
static void harm_redis(struct cluster *c)
{
    int64_t step = cluster_below(c, 2 * CLOCK_MAX_MS) - CLOCK_MAX_MS;

    if (c->polite && (!c->redis.up || c->now - c->redis.up_ms < STEADY_MS))
        return;

    switch (c->honest ? 0 : cluster_below(c, 4)) {
    case 0:
        cluster_note(c, "Redis is down");
        c->redis.up = false;
        cluster_plan(c, cluster_below(c, CUT_MAX_MS), redis_is_up, NULL);
        break;
    case 1:
        cluster_note(c, "Redis' clock steps by %d", (int)step);
        c->redis.clock_off += step;
        break;
    case 2:
        cluster_note(c, "Redis fails over, clock %d", (int)(step / 4));
        redis_fail_over(c, step / 4);
        c->redis.up = false;
        cluster_plan(c, cluster_below(c, DOWN_MAX_MS), redis_is_up, NULL);
        break;
    default:
        if (cluster_chance(c, 700))
            break;
        cluster_note(c, "Redis is emptied");
        redis_empty(c);
        break;
    }
}

static void harm_proc(struct cluster *c, struct proc *p)
{
    switch (cluster_below(c, 4)) {
    case 0:
        kill_proc(c, p);
        break;
    case 1:
        terminate(c, p);
        break;
    default:
        p->stalled_until = c->now + cluster_below(c, STALL_MAX_MS);
        cluster_note(c, "p%d stands still for %d", p->index, (int)(p->stalled_until - c->now));
        break;
    }
}

void chaos_step(struct cluster *c)
{
    int a = (int)cluster_below(c, PROCS), b = (int)cluster_below(c, PROCS);
    int64_t in_ms = cluster_below(c, CUT_MAX_MS);

    switch (c->polite ? 2 : cluster_below(c, 4)) {
    case 0:
        set_redis_cut(c, a, true);
        plan_end(c, in_ms, end_redis_cut, (struct end){.a = a});
        break;
    case 1:
        if (a == b)
            break;
        set_cut(c, a, b, true);
        plan_end(c, in_ms, end_peer_cut, (struct end){.a = a, .b = b});
        break;
    case 2:
        harm_redis(c);
        break;
    default:
        if (proc_runs(&c->procs[a]))
            harm_proc(c, &c->procs[a]);
        break;
    }
}

void chaos_end(struct cluster *c)
{
    cluster_note(c, "chaos ends");
    memset(c->cut_peer, 0, sizeof c->cut_peer);
    memset(c->cut_redis, 0, sizeof c->cut_redis);
    c->redis.up = true;
    c->loss = c->slow = 0;
    for (int i = 0; i < PROCS; i++) {
        struct proc *p = &c->procs[i];
        p->stalled_until = p->stalled_until < c->now ? p->stalled_until : c->now;
        if (!p->up)
            proc_start(p);
    }
}
