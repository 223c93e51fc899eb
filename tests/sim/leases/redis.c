#include "tests/sim/leases/redis.h"

#include <string.h>

#include "tests/sim/leases/cluster.h"

static const int64_t wall_ms = INT64_C(1760000000000);

int64_t redis_clock(const struct cluster *c)
{
    return wall_ms + c->now + c->redis.clock_off;
}

static bool is_same(struct who a, struct who b)
{
    return a.index == b.index && a.life == b.life;
}

static int64_t max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Redis keeps its word, or the one it was given to is robbed. */
static void promise(struct cluster *c, int w, struct who who)
{
    struct proc *before = &c->procs[c->redis.promises[w].who.index];

    if (c->redis.promises[w].given && !is_same(c->redis.promises[w].who, who) &&
        c->now < c->redis.promises[w].until && before->life == c->redis.promises[w].who.life) {
        before->worlds[w].robbed = true;
        cluster_note(c, "w%d: Redis robs p%d", w, before->index);
        if (c->honest)
            cluster_fail(c, "an honest Redis gave a lease away before its time");
    }
    c->redis.promises[w].given = true;
    c->redis.promises[w].who = who;
    c->redis.promises[w].until = c->now + TTL_MS;
}

static struct news ours(struct cluster *c, int w, struct who who)
{
    c->redis.data.leases[w].until = redis_clock(c) + TTL_MS;
    promise(c, w, who);
    return (struct news){.said = LEASE_IS_OURS, .epoch = c->redis.data.leases[w].epoch};
}

static struct news renew(struct cluster *c, const struct wish *wish, struct who who, int64_t held)
{
    struct redis_data *d = &c->redis.data;
    int w = wish->world;
    int64_t stored = d->meta[w].present ? d->meta[w].epoch : 0;
    int64_t epoch = max(max(stored, held), max(wish->epoch, wish->above)) + 1;
    bool forgot = stored < c->redis.highest[w] && redis_clock(c) < c->redis.highest[w];

    epoch = off[OFF_EPOCH] ? redis_clock(c) : max(epoch, redis_clock(c));
    if (epoch <= c->redis.highest[w] && !forgot)
        cluster_fail(c, "a new epoch is not above all before");
    c->redis.highest[w] = max(c->redis.highest[w], epoch);
    d->leases[w].held = true;
    d->leases[w].who = who;
    d->leases[w].epoch = epoch;
    if (d->meta[w].present)
        d->meta[w].epoch = epoch;
    c->taken++;
    cluster_note(c, "w%d: p%d.%d has epoch %lld", w, who.index, (int)who.life,
                 (long long)(epoch - wall_ms));
    return ours(c, w, who);
}

static struct news say(struct cluster *c, const struct wish *wish, struct who who, bool is_late)
{
    struct redis_data *d = &c->redis.data;
    int w = wish->world;
    int64_t stored = d->meta[w].present ? d->meta[w].epoch : 0;

    if (d->leases[w].held && d->leases[w].until <= redis_clock(c))
        d->leases[w].held = false;
    if (d->leases[w].held && !is_same(d->leases[w].who, who))
        return (struct news){.said = LEASE_IS_OTHERS,
                             .epoch = d->leases[w].epoch,
                             .left_ms = d->leases[w].until - redis_clock(c),
                             .other = d->leases[w].who.index};
    int64_t held = d->leases[w].held ? d->leases[w].epoch : 0;
    bool is_between = wish->op == LEASE_KEEP && stored > wish->epoch && held < stored;
    if (wish->op == LEASE_FREE || (is_between && !off[OFF_STORED])) {
        d->leases[w].held = false;
        if (is_same(c->redis.promises[w].who, who) && !is_late)
            c->redis.promises[w].given = false;
        return (struct news){.said = LEASE_IS_FREE, .epoch = stored};
    }
    bool is_kept =
        wish->op == LEASE_KEEP ? held >= wish->epoch && held >= wish->above : held > wish->above;
    return held > 0 && is_kept ? ours(c, w, who) : renew(c, wish, who, held);
}

bool redis_tend(struct cluster *c, struct tend_call *call)
{
    struct redis_data *d = &c->redis.data;
    uint64_t *last = &d->calls[call->from.index][call->from.life % LIVES];
    uint64_t *truly_last = &c->redis.calls[call->from.index][call->from.life % LIVES];
    bool is_late = call->no < *truly_last && !off[OFF_LATE];

    if (call->no < *last && !off[OFF_LATE])
        return false;
    *last = call->no;
    *truly_last = is_late ? *truly_last : call->no;
    d->registered_until[call->from.index] = redis_clock(c) + 2 * TTL_MS;
    for (size_t i = 0; i < call->count; i++)
        call->news[i] = say(c, &call->wishes[i], call->from, is_late);
    for (int i = 0; i < PROCS; i++)
        call->peers[i] = i != call->from.index && d->registered_until[i] > redis_clock(c);
    return true;
}

bool redis_commit(struct cluster *c, struct who from, int w, int64_t epoch, int64_t value)
{
    struct redis_data *d = &c->redis.data;

    if (!d->leases[w].held || d->leases[w].until <= redis_clock(c) ||
        !is_same(d->leases[w].who, from) || d->leases[w].epoch != epoch ||
        (d->meta[w].present && d->meta[w].epoch > epoch))
        return false;
    if (d->meta[w].present && value <= d->meta[w].value) {
        if (!is_same(d->meta[w].who, from))
            cluster_fail(c, "what another owner stored is written over");
        return true; /* it came late */
    }
    d->meta[w].present = true;
    d->meta[w].epoch = epoch;
    d->meta[w].value = value;
    d->meta[w].who = from;
    return true;
}

void redis_replicate(struct cluster *c)
{
    memmove(&c->redis.replicas[1], &c->redis.replicas[0],
            (REPLICAS - 1) * sizeof c->redis.replicas[0]);
    c->redis.replicas[0] = c->redis.data;
}

void redis_fail_over(struct cluster *c, int64_t clock_step)
{
    c->redis.data = c->redis.replicas[cluster_below(c, REPLICAS)];
    c->redis.clock_off += clock_step;
}

void redis_empty(struct cluster *c)
{
    memset(&c->redis.data, 0, sizeof c->redis.data);
    memset(c->redis.replicas, 0, sizeof c->redis.replicas);
}
