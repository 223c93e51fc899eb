/* What nodes and clients do: they come to any process, which decides, passes them on, or has them
 * wait; and owners write. */
#include "tests/sim/leases/cluster.h"

/* The node follows an owner, or tells it that it has followed a later one. */
static void served_by(struct cluster *c, struct proc *p, int w)
{
    int64_t epoch = p->worlds[w].epoch;

    if (!p->worlds[w].in_core)
        cluster_fail(c, "a process decides for a world that it has not loaded");
    if (epoch < c->node_seen[w])
        leases_saw(p->l, world_name(w), c->node_seen[w]);
    else
        c->node_seen[w] = epoch;
}

static void pass_on(struct cluster *c, struct proc *entry, const struct lease_place *place, int w)
{
    struct proc *to = &c->procs[place->url.ptr[1] - '0'];

    if (to == entry)
        cluster_fail(c, "a process passes on to itself");
    if (!proc_reaches(c, entry->index, to->index)) {
        leases_doubt(entry->l, world_name(w));
        return;
    }
    leases_saw(to->l, world_name(w), place->epoch);
    struct lease_place there = leases_place(to->l, world_name(w));
    if (there.owner == OWNER_US && to->worlds[w].epoch >= place->epoch) {
        leases_saw(entry->l, world_name(w), to->worlds[w].epoch);
        served_by(c, to, w);
        return;
    }
    leases_saw(entry->l, world_name(w), there.epoch);
    leases_doubt(entry->l, world_name(w));
}

static void request(struct cluster *c, int w)
{
    struct proc *p = &c->procs[cluster_below(c, PROCS)];

    if (!proc_runs(p))
        return;
    struct lease_place place = leases_place(p->l, world_name(w));
    if (place.owner == OWNER_US)
        served_by(c, p, w);
    else if (place.url.len > 0)
        pass_on(c, p, &place, w);
}

static void write_some(struct cluster *c, int w)
{
    for (int i = 0; i < PROCS; i++) {
        struct proc *p = &c->procs[i];
        if (!proc_runs(p) || proc_owner(p, w) != OWNER_US)
            continue;
        if (w != WORLDS - 1)
            proc_write(p, w);
        else if (cluster_chance(c, 50) && !cluster_is_calm(c) && !c->polite)
            leases_idle(p->l, world_name(w)); /* the last world has nothing to remember */
    }
}

void traffic_step(struct cluster *c)
{
    int w = (int)cluster_below(c, WORLDS);

    request(c, w);
    if (cluster_chance(c, 300))
        write_some(c, w);
}
