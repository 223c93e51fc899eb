/* What must hold at every moment, and when all is well again. */
#include "tests/sim/leases/cluster.h"

/* Within this time, who goes on without Redis asks everybody anew. */
/* One call to Redis may have to run into its timeout before the next one gets through. */
enum { BLINK_MS = REDIS_TIMEOUT_MS + LEASES_TRY_MS };
enum { TOGETHER_MS = LEASES_PEERS_MS + LEASES_ASK_PEERS_MS };

static bool knows(const struct proc *a, const struct proc *b)
{
    for (size_t i = 0; i < a->l->peer_count; i++) {
        if (span_eq(a->l->peers[i].url, span_str(b->url)))
            return true;
    }
    return false;
}

static void note_apart(struct cluster *c)
{
    for (int i = 0; i < PROCS; i++) {
        for (int j = 0; j < PROCS; j++) {
            const struct proc *a = &c->procs[i], *b = &c->procs[j];
            if (!proc_runs(a) || !proc_reaches(c, i, j) || !knows(a, b))
                c->apart_ms[i][j] = c->now;
        }
    }
}

/* Nobody can know better: Redis broke its word to `a`, or `a` goes on without Redis and has not
 * heard `b`, of which it then knows nothing. */
static bool is_excused(const struct proc *a, const struct proc *b, int w)
{
    const struct heard *heard = &a->heard[b->index];
    const struct cluster *c = a->c;

    if (a->worlds[w].robbed)
        return true;
    if (c->sound && c->now - c->apart_ms[a->index][b->index] > TOGETHER_MS)
        return false;
    return proc_is_extended(a, w) && !(heard->said_away && heard->life == b->life);
}

static void check_pair(struct cluster *c, const struct proc *a, const struct proc *b, int w)
{
    c->doubles++;
    if (is_excused(a, b, w) || is_excused(b, a, w))
        c->excused[a->index][b->index][w] = true;
    else if (!c->excused[a->index][b->index][w])
        cluster_fail(c, "two processes decide for a world");
    if (a->worlds[w].epoch == b->worlds[w].epoch)
        cluster_fail(c, "two owners have the same epoch");
}

static bool decides(const struct proc *p, int w)
{
    return proc_runs(p) && proc_owner(p, w) == OWNER_US;
}

static bool holds(const struct proc *p, int w)
{
    const struct lease *lease = p->up ? map_get(&p->l->by_world, world_name(w)) : NULL;

    return lease != NULL && lease->state == LEASE_OURS;
}

static void check_pairs(struct cluster *c, int w)
{
    for (int i = 0; i < PROCS; i++) {
        for (int j = i + 1; j < PROCS; j++) {
            const struct proc *a = &c->procs[i], *b = &c->procs[j];
            if (decides(a, w) && decides(b, w))
                check_pair(c, a, b, w);
            else if (!holds(a, w) || !holds(b, w))
                c->excused[i][j][w] = false;
        }
    }
}

/* Redis that goes away for all does not move a world, nor has it wait. */
static void check_steady(struct cluster *c, int w, const struct proc *owner)
{
    if (owner != NULL && c->first_owner[w] == 0)
        c->first_owner[w] = owner->index + 1;
    if (owner != NULL && c->first_owner[w] == owner->index + 1)
        c->steady_ms[w] = c->now;
    else if (c->first_owner[w] != 0 && c->now - c->steady_ms[w] > BLINK_MS)
        cluster_fail(c, "a world has no owner or another although only Redis was away");
}

void checks_always(struct cluster *c)
{
    note_apart(c);
    for (int w = 0; w < WORLDS; w++) {
        const struct proc *owner = NULL;
        for (int i = 0; i < PROCS; i++) {
            const struct proc *p = &c->procs[i];
            if (!proc_runs(p) || proc_owner(p, w) != OWNER_US)
                continue;
            c->extended += proc_is_extended(p, w) ? 1 : 0;
            owner = p;
        }
        check_pairs(c, w);
        if (c->polite)
            check_steady(c, w, owner);
    }
}

static const struct proc *only_owner(struct cluster *c, int w)
{
    const struct proc *owner = NULL;

    for (int i = 0; i < PROCS; i++) {
        const struct proc *p = &c->procs[i];
        if (!proc_runs(p) || proc_owner(p, w) != OWNER_US)
            continue;
        if (owner != NULL)
            cluster_fail(c, "at the end a world has two owners");
        owner = p;
    }
    return owner;
}

void checks_at_end(struct cluster *c)
{
    for (int w = 0; w < WORLDS; w++) {
        const struct proc *owner = only_owner(c, w);
        if (owner == NULL) {
            cluster_note(c, "w%d has no owner", w);
            cluster_fail(c, "at the end a world has no owner");
            return;
        }
        if (owner->worlds[w].epoch < c->node_seen[w])
            cluster_fail(c, "at the end the owner's epoch is below what nodes have followed");
        if (w != WORLDS - 1 && c->redis.data.meta[w].value + 5 < owner->worlds[w].value)
            cluster_fail(c, "at the end the owner's writes do not reach Redis");
        for (int i = 0; i < PROCS; i++) {
            struct proc *p = &c->procs[i];
            struct lease_place place = leases_place(p->l, world_name(w));
            if (p != owner &&
                (place.owner != OWNER_OTHER || !span_eq(place.url, span_str(owner->url)) ||
                 place.epoch != owner->worlds[w].epoch))
                cluster_fail(c, "at the end a process does not know the owner");
        }
    }
}
