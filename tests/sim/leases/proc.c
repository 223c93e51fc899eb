/* A process: real leases behind a port whose messages may be late, lost, or find nobody. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/sim/leases/cluster.h"

enum { THOUSAND = 1000, LATE_MAX_MS = 6000, GROUP = 3 };

/* What comes to a process later. */
struct mail {
    struct proc *p;
    uint64_t life, no;
    int world;
    int64_t value;
    enum err e;
    bool good;
    struct lease_reach reach;
    struct who from;
};

static const struct span names[WORLDS] = {SPAN_INIT("w0"), SPAN_INIT("w1"), SPAN_INIT("w2")};

struct span world_name(int world)
{
    return names[world];
}

static int world_of(struct span name)
{
    return name.ptr[1] - '0';
}

int64_t proc_clock(const struct proc *p)
{
    return p->clock_off + p->c->now + p->c->now * p->drift / THOUSAND;
}

bool proc_runs(const struct proc *p)
{
    return p->up && p->stalled_until <= p->c->now;
}

bool proc_reaches(const struct cluster *c, int a, int b)
{
    return a == b || (!c->cut_peer[a][b] && proc_runs(&c->procs[b]));
}

static bool reaches_redis(const struct proc *p)
{
    return p->c->redis.up && !p->c->cut_redis[p->index];
}

static bool is_there(const struct mail *m)
{
    return m->p->up && m->p->life == m->life;
}

/* A process that stands still does it later. True: the mail was sent once more. */
static bool is_deferred(const struct mail *m, void (*run)(void *ctx, void *arg))
{
    struct cluster *c = m->p->c;

    if (proc_runs(m->p))
        return false;
    struct mail *again = xmalloc(sizeof *again);
    *again = *m;
    cluster_plan(c, m->p->stalled_until - c->now, run, again);
    return true;
}

static struct mail *mail_new(struct proc *p)
{
    struct mail *m = xcalloc(1, sizeof *m);

    m->p = p;
    m->life = p->life;
    return m;
}

enum owner proc_owner(const struct proc *p, int world)
{
    struct lease *lease = map_get(&p->l->by_world, names[world]);

    return lease == NULL ? OWNER_SOUGHT : lease_owner(lease, &p->l->consent, proc_clock(p));
}

bool proc_is_extended(const struct proc *p, int world)
{
    struct lease *lease = map_get(&p->l->by_world, names[world]);

    return lease != NULL && proc_clock(p) >= lease->deadline_ms;
}

/* ---- tend */

static void on_answer(void *ctx, void *arg)
{
    struct tend_call *call = arg;
    struct cluster *c = ctx;
    struct proc *p = &c->procs[call->from.index];
    struct lease_news news[WORLDS];
    struct lease_peer peers[PROCS];
    size_t peer_count = 0;

    if (!p->up || p->life != call->from.life || p->pending != call->no)
        return;
    if (!proc_runs(p)) {
        struct tend_call *again = xmalloc(sizeof *again);
        *again = *call;
        cluster_plan(c, p->stalled_until - c->now, on_answer, again);
        return;
    }
    p->pending = 0;
    if (call->failed) {
        leases_tend_failed(p->l, proc_clock(p));
        return;
    }
    for (size_t i = 0; i < call->count; i++) {
        const struct news *n = &call->news[i];
        news[i] = (struct lease_news){.world = names[call->wishes[i].world],
                                      .said = n->said,
                                      .epoch = n->epoch,
                                      .left_ms = n->left_ms};
        if (n->said == LEASE_IS_OTHERS)
            news[i].url = span_str(c->procs[n->other].url);
    }
    for (int i = 0; i < PROCS; i++) {
        if (call->peers[i])
            peers[peer_count++] =
                (struct lease_peer){.id = span_str("-"), .url = span_str(c->procs[i].url)};
    }
    leases_tended(p->l, news, call->count, peers, peer_count,
                  off[OFF_DEADLINE] ? proc_clock(p) : call->sent_ms, proc_clock(p));
}

/* The call is at Redis, or at the gap where its way is cut: there it is lost or comes much later,
 * for its bytes may still be on their way when nobody waits for the answer any more. */
static void on_call(void *ctx, void *arg)
{
    struct tend_call *call = arg;
    struct cluster *c = ctx;
    struct tend_call *next = xmalloc(sizeof *next);

    *next = *call;
    if (!c->redis.up || c->cut_redis[call->from.index]) {
        if (!c->redis.up && cluster_chance(c, 500)) {
            next->failed = true;
            cluster_plan(c, 1, on_answer, next);
        } else if (cluster_chance(c, 300)) {
            cluster_plan(c, cluster_below(c, LATE_MAX_MS), on_call, next);
        } else {
            free(next);
        }
        return;
    }
    if (!redis_tend(c, next) || cluster_chance(c, c->loss))
        free(next);
    else
        cluster_plan(c, cluster_delay(c), on_answer, next);
}

static void on_tend_timeout(void *ctx, void *arg)
{
    struct mail *m = arg;

    (void)ctx;
    if (!is_there(m) || m->p->pending != m->no || is_deferred(m, on_tend_timeout))
        return;
    m->p->pending = 0;
    leases_tend_failed(m->p->l, proc_clock(m->p));
}

static void tend(void *ctx, const struct lease_wish *wishes, size_t count)
{
    struct proc *p = ctx;
    struct tend_call *call = xcalloc(1, sizeof *call);
    struct mail *timeout = mail_new(p);

    call->from = (struct who){p->index, p->life};
    call->no = timeout->no = p->pending = ++p->calls;
    call->sent_ms = proc_clock(p);
    call->count = count;
    for (size_t i = 0; i < count; i++)
        call->wishes[i] = (struct wish){world_of(wishes[i].world), wishes[i].op, wishes[i].epoch,
                                        wishes[i].above};
    cluster_plan(p->c, REDIS_TIMEOUT_MS, on_tend_timeout, timeout);
    cluster_plan(p->c, cluster_delay(p->c), on_call, call);
}

/* ---- peers */

static void finish_ask(struct proc *p)
{
    p->asking = 0;
    if (p->answers.reach == 0)
        memcpy(p->heard, p->heard_now, sizeof p->heard);
    leases_peers_said(p->l, &p->answers, p->ask_sent, proc_clock(p));
    p->consent_until = p->l->consent.until_ms;
}

static void on_peer_answer(void *ctx, void *arg)
{
    struct mail *m = arg;
    struct proc *p = m->p;
    struct lease_answers *a = &p->answers;

    (void)ctx;
    if (!is_there(m) || p->asking != m->no || is_deferred(m, on_peer_answer))
        return;
    int64_t ago_ms = off[OFF_AGO] ? INT32_MAX : m->reach.ago_ms;
    if (a->reach + a->away == 0 || ago_ms < a->ago_ms)
        a->ago_ms = ago_ms;
    if (m->reach.reaches) {
        a->reach++;
        memcpy(p->reach_url, p->c->procs[m->from.index].url, sizeof p->reach_url);
        a->url = span_str(p->reach_url);
    } else {
        a->away++;
        p->heard_now[m->from.index] = (struct heard){true, m->from.life};
    }
    if (--p->answers_due == 0)
        finish_ask(p);
}

static void on_ask(void *ctx, void *arg)
{
    struct mail *m = arg;
    struct cluster *c = ctx;
    struct proc *peer = &c->procs[m->from.index];

    if (c->cut_peer[m->p->index][peer->index] || !peer->up)
        return;
    if (!proc_runs(peer)) {
        struct mail *later = xmalloc(sizeof *later);
        *later = *m;
        cluster_plan(c, peer->stalled_until - c->now, on_ask, later);
        return;
    }
    struct mail *answer = xmalloc(sizeof *answer);
    *answer = *m;
    answer->from.life = peer->life;
    answer->reach = leases_tell_peer(peer->l);
    if (cluster_chance(c, c->loss))
        free(answer);
    else
        cluster_plan(c, cluster_delay(c), on_peer_answer, answer);
}

static void on_ask_timeout(void *ctx, void *arg)
{
    struct mail *m = arg;

    (void)ctx;
    if (!is_there(m) || m->p->asking != m->no || is_deferred(m, on_ask_timeout))
        return;
    finish_ask(m->p);
}

static void ask_peers(void *ctx, const struct lease_peer *peers, size_t count)
{
    struct proc *p = ctx;
    struct mail *timeout = mail_new(p);

    timeout->no = p->asking = ++p->asks;
    p->ask_sent = proc_clock(p);
    p->answers = (struct lease_answers){.reach = 0};
    p->answers_due = (int)count;
    memset(p->heard_now, 0, sizeof p->heard_now);
    cluster_plan(p->c, PEER_TIMEOUT_MS, on_ask_timeout, timeout);
    for (size_t i = 0; i < count; i++) {
        struct mail *m = mail_new(p);
        m->no = p->asking;
        m->from.index = peers[i].url.ptr[1] - '0';
        cluster_plan(p->c, cluster_delay(p->c), on_ask, m);
    }
}

/* ---- worlds */

static void on_loaded(void *ctx, void *arg)
{
    struct mail *m = arg;
    struct proc *p = m->p;

    (void)ctx;
    if (!is_there(m) || is_deferred(m, on_loaded))
        return;
    if (m->e == ERR_OK) {
        p->worlds[m->world].in_core = true;
        p->worlds[m->world].value = m->value;
    }
    leases_loaded(p->l, names[m->world], m->e, span_str("torn"), proc_clock(p));
}

static void on_load(void *ctx, void *arg)
{
    struct mail *m = arg, *loaded = xmalloc(sizeof *loaded);
    struct cluster *c = ctx;

    *loaded = *m;
    if (!reaches_redis(m->p) || cluster_chance(c, c->loss)) {
        loaded->e = ERR_IO;
        cluster_plan(c, REDIS_TIMEOUT_MS, on_loaded, loaded);
        return;
    }
    loaded->value = c->redis.data.meta[m->world].present ? c->redis.data.meta[m->world].value : 0;
    if (!cluster_is_calm(c) && !c->polite && cluster_chance(c, 20))
        loaded->e = ERR_SYNTAX;
    cluster_plan(c, cluster_delay(c), on_loaded, loaded);
}

static void load(void *ctx, struct span world, int64_t epoch)
{
    struct proc *p = ctx;
    struct mail *m = mail_new(p);

    m->world = world_of(world);
    p->worlds[m->world].epoch = epoch;
    cluster_plan(p->c, cluster_delay(p->c), on_load, m);
}

static void on_committed(void *ctx, void *arg)
{
    struct mail *m = arg;

    (void)ctx;
    if (!is_there(m) || is_deferred(m, on_committed))
        return;
    if (!m->good)
        leases_lost(m->p->l, names[m->world], proc_clock(m->p));
}

static void on_commit(void *ctx, void *arg)
{
    struct mail *m = arg;
    struct cluster *c = ctx;

    if (!c->redis.up || c->cut_redis[m->p->index])
        return;
    struct mail *done = xmalloc(sizeof *done);
    *done = *m;
    done->good = redis_commit(c, m->from, m->world, (int64_t)m->no, m->value);
    cluster_plan(c, cluster_delay(c), on_committed, done);
}

void proc_write(struct proc *p, int world)
{
    struct mail *m = mail_new(p);

    m->world = world;
    m->value = ++p->worlds[world].value;
    m->no = (uint64_t)p->worlds[world].epoch;
    m->from = (struct who){p->index, p->life};
    cluster_plan(p->c, cluster_delay(p->c), on_commit, m);
}

static void raise_world(void *ctx, struct span world, int64_t epoch)
{
    struct proc *p = ctx;
    int w = world_of(world);

    p->worlds[w].epoch = epoch;
    p->c->raised++;
    if (w != WORLDS - 1)
        proc_write(p, w);
}

static void on_closed(void *ctx, void *arg)
{
    struct mail *m = arg;

    (void)ctx;
    if (is_there(m) && !is_deferred(m, on_closed))
        leases_closed(m->p->l, names[m->world], proc_clock(m->p));
}

static void close_world(void *ctx, struct span world)
{
    struct proc *p = ctx;
    struct mail *m = mail_new(p);

    m->world = world_of(world);
    cluster_plan(p->c, cluster_delay(p->c) * GROUP, on_closed, m);
}

static void drop(void *ctx, struct span world)
{
    struct proc *p = ctx;
    int w = world_of(world);

    p->worlds[w].in_core = p->worlds[w].robbed = false;
    (void)leases_find(p->l, world); /* whoever waited looks again */
}

static void moved(void *ctx, struct span world)
{
    (void)leases_find(((struct proc *)ctx)->l, world);
}

/* ---- time */

static void on_wake(void *ctx, void *arg)
{
    struct mail *m = arg;
    struct proc *p = m->p;

    (void)ctx;
    if (!is_there(m) || p->wake_at != m->value || is_deferred(m, on_wake))
        return;
    p->wake_at = INT64_MAX;
    leases_tick(p->l, proc_clock(p));
    if (p->l->consent.until_ms != p->consent_until) { /* without having asked anybody */
        p->consent_until = p->l->consent.until_ms;
        memset(p->heard, 0, sizeof p->heard);
    }
}

static void wake(void *ctx, int64_t due_ms)
{
    struct proc *p = ctx;
    int64_t in_ms = due_ms - proc_clock(p);
    int64_t at = p->c->now + (in_ms <= 0 ? 0 : in_ms);

    if (p->wake_at <= at)
        return;
    struct mail *m = mail_new(p);
    p->wake_at = m->value = at;
    cluster_plan(p->c, at - p->c->now, on_wake, m);
}

static int64_t clock_of(void *ctx)
{
    return proc_clock(ctx);
}

void proc_start(struct proc *p)
{
    struct rng rng;

    p->up = true;
    p->ending = false;
    p->life++;
    p->stalled_until = 0;
    p->wake_at = INT64_MAX;
    p->pending = p->asking = 0;
    p->clock_off = cluster_below(p->c, 1000000);
    p->drift = cluster_below(p->c, 9) - 4;
    memset(p->worlds, 0, sizeof p->worlds);
    memset(p->heard, 0, sizeof p->heard);
    (void)snprintf(p->id, sizeof p->id, "%d.%d", p->index, (int)p->life);
    (void)snprintf(p->url, sizeof p->url, "p%d", p->index);
    p->settings =
        (struct lease_settings){.ttl_ms = TTL_MS, .id = span_str(p->id), .url = span_str(p->url)};
    p->port = (struct lease_port){
        .ctx = p,
        .clock = clock_of,
        .tend = tend,
        .ask_peers = ask_peers,
        .load = load,
        .raise = raise_world,
        .close = close_world,
        .drop = drop,
        .moved = moved,
        .wake = wake,
    };
    rng_seed(&rng, rng_next(&p->c->rng));
    p->l = leases_new(&p->port, &p->settings, &rng, proc_clock(p));
    p->consent_until = p->l->consent.until_ms;
}

void proc_stop(struct proc *p)
{
    p->up = false;
    leases_free(p->l);
    p->l = NULL;
}
