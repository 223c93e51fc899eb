/* Compares what the cores say with each other and with the clients that there really are. */
#include "tests/sim/checks.h"

#include <stdio.h>
#include <string.h>

#include "tests/sim/crowd.h"
#include "tests/sim/site.h"
#include "tests/sim/spy.h"

enum {
    /* Nothing has failed for so long: one owner a shard, though messages get lost. */
    TWICE_MS = 40000,
};

/* ---- what nodes do */

static void check_orders(struct station *st)
{
    int64_t epoch, version;
    if (!spy_orders(st->core, SPAN(SIM_WORLD_ID), &epoch, &version))
        return;
    if (epoch < st->seen_epoch || (epoch == st->seen_epoch && version < st->seen_version))
        sim_fail(st->sim, "%s goes back from orders %lld/%lld to %lld/%lld", st->id,
                 (long long)st->seen_epoch, (long long)st->seen_version, (long long)epoch,
                 (long long)version);
    st->seen_epoch = epoch;
    st->seen_version = version;
}

static bool is_owner(const struct sim *s, const struct station *st, struct span shard)
{
    struct seen_shard seen;
    return site_shard(s->site, shard, &seen) && span_eq(seen.owner, span_str(st->id));
}

void checks_owned(struct station *st)
{
    struct sim *s = st->sim;
    struct seen_node node;
    struct seen_shard seen;
    struct spied_shard spied;
    size_t at = 0;
    if (spy_is_closing(st->core) || !site_node(s->site, span_str(st->id), &node) ||
        node.epoch != spy_epoch(st->core) || node.version != st->seen_version ||
        st->seen_epoch != site_epoch(s->site))
        return;
    while (spy_next_shard(st->core, &at, &spied)) {
        if (spied.owned && !is_owner(s, st, spied.id))
            sim_fail(s, "%s has all orders, and owns %.*s, which it should not", st->id,
                     SPAN_ARG(spied.id));
    }
    for (at = 0; site_next_shard(s->site, &at, &seen);) {
        if (span_eq(seen.owner, span_str(st->id)) &&
            !(spy_shard(st->core, seen.id, &spied) && spied.owned))
            sim_fail(s, "%s has all orders, and does not own %.*s", st->id, SPAN_ARG(seen.id));
    }
}

static uint64_t sockets_of(const struct station *st, struct span shard)
{
    uint64_t count = 0;
    LIST_EACH (&st->sockets, it)
        count += span_eq(shard, span_str(CONTAINER_OF(it, struct socket, node)->shard)) ? 1 : 0;
    return count;
}

static void check_sockets(struct station *st)
{
    struct spied_shard spied;
    for (size_t at = 0; spy_next_shard(st->core, &at, &spied);) {
        uint64_t there = sockets_of(st, spied.id);
        if (spied.clients != there)
            sim_fail(st->sim, "%s counts %llu clients of %.*s, and there are %llu", st->id,
                     (unsigned long long)spied.clients, SPAN_ARG(spied.id),
                     (unsigned long long)there);
    }
}

void checks_station(struct station *st)
{
    node_check(st->core);
    check_orders(st);
    check_sockets(st);
}

void checks_admitted(struct station *st, struct span shard, bool is_new)
{
    struct spied_shard spied;
    if (is_new && spy_shard(st->core, shard, &spied) && spied.is_bounded &&
        spied.clients - spied.doubles + spied.kept > spied.max)
        sim_fail(st->sim, "%s lets a newcomer into %.*s, which is full: %llu and %llu kept of %llu",
                 st->id, SPAN_ARG(shard), (unsigned long long)spied.clients,
                 (unsigned long long)spied.kept, (unsigned long long)spied.max);
}

/* ---- both */

/* The node and the world can talk. */
static bool is_there(const struct sim *s, const struct host *h)
{
    return h->up && !h->cut_off && s->now >= h->stalled_until;
}

static uint64_t owners_of(struct sim *s, struct span shard)
{
    uint64_t count = 0;
    for (int i = 0; i < s->plan.nodes; i++) {
        struct station *st = &s->fleet->stations[i];
        struct spied_shard spied;
        if (is_there(s, st->host) && !spy_is_closing(st->core) &&
            spy_shard(st->core, shard, &spied) && spied.owned)
            count++;
    }
    return count;
}

static struct twice *twice_of(struct sim *s, struct span shard)
{
    struct twice *none = NULL;
    for (int i = 0; i < SIM_TWICE_MAX; i++) {
        struct twice *t = &s->twice[i];
        if (t->since_ms != 0 && span_eq(shard, span_str(t->shard)))
            return t;
        none = t->since_ms == 0 ? t : none;
    }
    return none;
}

static void note_owners(struct sim *s, struct span shard)
{
    struct twice *t = twice_of(s, shard);
    if (t == NULL)
        return;
    if (owners_of(s, shard) < 2) {
        t->since_ms = 0;
    } else if (t->since_ms == 0) {
        t->since_ms = s->now;
        (void)snprintf(t->shard, sizeof t->shard, "%.*s", SPAN_ARG(shard));
    } else if (s->now - t->since_ms > TWICE_MS) {
        sim_fail(s, "%.*s has had two owners for %d s", SPAN_ARG(shard), TWICE_MS / 1000);
    }
}

void checks_cluster(struct sim *s)
{
    struct seen_shard seen;
    if (s->plan.polite)
        crowd_check_seats(s->crowd);
    for (int i = 0; i < s->plan.nodes; i++) {
        if (s->fleet->stations[i].core != NULL)
            checks_owned(&s->fleet->stations[i]);
    }
    site_check(s->site);
    if (!is_there(s, &s->hosts[SIM_WORLD]))
        memset(s->twice, 0, sizeof s->twice);
    for (size_t at = 0; site_next_shard(s->site, &at, &seen);)
        note_owners(s, seen.id);
}

static void check_settled_shard(struct sim *s, const struct seen_shard *seen)
{
    uint64_t sockets = 0;
    for (int i = 0; i < s->plan.nodes; i++) {
        struct station *st = &s->fleet->stations[i];
        struct spied_shard spied;
        if (st->core == NULL)
            continue;
        bool owns = spy_shard(st->core, seen->id, &spied) && spied.owned;
        sockets += sockets_of(st, seen->id);
        if (owns != span_eq(seen->owner, span_str(st->id)))
            sim_fail(s, "the world says that %.*s owns %.*s, %s %s", SPAN_ARG(seen->owner),
                     SPAN_ARG(seen->id), st->id, owns ? "does" : "does not");
    }
    if (seen->owner.len == 0 && !s->plan.is_cramped) /* else nobody may be able to take it */
        sim_fail(s, "%.*s has no owner", SPAN_ARG(seen->id));
    if (seen->open != sockets || seen->reserved != 0 || seen->returning != 0)
        sim_fail(s, "%.*s has %llu sockets; the world says open %llu reserved %llu returning %llu",
                 SPAN_ARG(seen->id), (unsigned long long)sockets, (unsigned long long)seen->open,
                 (unsigned long long)seen->reserved, (unsigned long long)seen->returning);
}

void checks_converged(struct sim *s)
{
    struct seen_shard seen;
    struct seen_node node;
    for (int i = 0; i < s->plan.nodes; i++) {
        const char *id = s->fleet->stations[i].id;
        if (!site_node(s->site, span_str(id), &node) || !node.is_alive)
            sim_fail(s, "%s is up, and the world does not take it for alive", id);
    }
    for (size_t at = 0; site_next_shard(s->site, &at, &seen);)
        check_settled_shard(s, &seen);
}
