/* The table of leases: who asks, and what time does to them. Redis' part is lease_tend.c's, the
 * peers' lease_peers.c's. */
#include "world/core/leases/leases.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "world/core/leases/leases_state.h"

/* ---- shared */

void leases_hurry(struct leases *l)
{
    int64_t clock = l->port->clock(l->port->ctx);

    if (l->tending) {
        l->again = true;
        return;
    }
    /* What fails at once is not tried in a circle. */
    l->tend_due_ms =
        l->away && l->tended_ms + LEASES_TRY_MS > clock ? l->tended_ms + LEASES_TRY_MS : clock;
    l->port->wake(l->port->ctx, l->tend_due_ms);
}

void leases_drop(struct leases *l, struct lease *lease, enum lease_state to)
{
    lease_go(lease, to, &l->stats);
    l->port->drop(l->port->ctx, lease->world);
}

void leases_break(struct leases *l, struct lease *lease, struct span why, int64_t now)
{
    bool is_in_core = lease->state == LEASE_OURS || lease->state == LEASE_CLOSING;

    log_error("lease.broken", "world=%.*s why=%.*s", SPAN_ARG(lease->world), SPAN_ARG(why));
    span_free(lease->why);
    lease->why = span_copy(why);
    lease->retry_ms = now + LEASES_BROKEN_MS;
    if (is_in_core)
        leases_drop(l, lease, LEASE_BROKEN);
    else
        lease_go(lease, LEASE_BROKEN, &l->stats);
}

/* It is not ours any more, and will not be. */
static bool is_leaving(const struct leases *l, const struct lease *lease)
{
    return l->releasing && (lease->state == LEASE_SOUGHT || lease->state == LEASE_OTHERS);
}

/* One peer after the other: any of them takes the world once it is asked for it. */
static struct span heir_url(const struct leases *l, int64_t now)
{
    if (l->peer_count == 0)
        return (struct span){0};
    return l->peers[(size_t)(now / LEASES_TRY_MS) % l->peer_count].url;
}

struct span leases_url(const struct leases *l, const struct lease *lease, int64_t now)
{
    if (lease->state == LEASE_OTHERS && !lease->doubted)
        return lease->url;
    if (lease->state != LEASE_SOUGHT && lease->state != LEASE_OTHERS)
        return (struct span){0};
    if (!l->away)
        return l->releasing ? heir_url(l, now) : (struct span){0};
    return now < l->reach_asked_ms + LEASES_PEERS_MS ? l->reach_url : lease->url;
}

static void announce(struct leases *l, bool guesses, int64_t now)
{
    LIST_EACH (&l->all, it) {
        struct lease *lease = CONTAINER_OF(it, struct lease, node);
        if (!lease->waits)
            continue;
        if (lease_owner(lease, &l->consent, now) == OWNER_SOUGHT && !is_leaving(l, lease) &&
            (!guesses || leases_url(l, lease, now).len == 0))
            continue;
        lease->waits = false;
        l->port->moved(l->port->ctx, lease->world);
    }
}

void leases_settle(struct leases *l, bool guesses, int64_t now)
{
    announce(l, guesses, l->port->clock(l->port->ctx));
    if (!l->tending)
        l->port->wake(l->port->ctx, l->tend_due_ms);
    if (l->away && !l->asking)
        l->port->wake(l->port->ctx, l->ask_due_ms > now ? l->ask_due_ms : now + LEASES_TRY_MS);
}

/* ---- made and freed */

struct leases *leases_new(const struct lease_port *port, const struct lease_settings *settings,
                          const struct rng *rng, int64_t now)
{
    struct leases *l = xcalloc(1, sizeof *l);

    l->port = port;
    l->settings = settings;
    l->rng = *rng;
    l->tend_due_ms = l->ask_due_ms = l->reached_ms = l->grace_ms = now;
    l->consent.until_ms = l->reach_ms = now;
    l->back_ms = now - LEASES_BACK_MS;
    l->reach_asked_ms = now - LEASES_PEERS_MS;
    list_init(&l->all);
    port->wake(port->ctx, now);
    return l;
}

static void forget(struct leases *l, struct lease *lease)
{
    list_remove(&lease->node);
    (void)map_remove(&l->by_world, lease->world);
    lease_free(lease);
}

void leases_free(struct leases *l)
{
    for (struct list *it; (it = list_first(&l->all)) != NULL;)
        forget(l, CONTAINER_OF(it, struct lease, node));
    leases_peers_set(l, NULL, 0);
    free(l->peers);
    map_clear(&l->by_world);
    span_free(l->reach_url);
    free(l->wishes);
    free(l);
}

const struct lease_stats *leases_stats(const struct leases *l)
{
    return &l->stats;
}

/* ---- time */

static void close_world(struct leases *l, struct lease *lease)
{
    lease_go(lease, LEASE_CLOSING, &l->stats);
    l->port->close(l->port->ctx, lease->world);
}

/* A lease that ran out while the world was being closed needs no freeing. */
static bool is_over(const struct lease *lease, int64_t now)
{
    return lease->state == LEASE_CLOSING && lease->closed && lease->deadline_ms <= now;
}

static bool is_forgotten(const struct leases *l, const struct lease *lease, int64_t now)
{
    bool is_known = lease->state == LEASE_SOUGHT || lease->state == LEASE_OTHERS;

    return is_known && !l->tending && now - lease->asked_ms >= LEASES_IDLE_MS;
}

/* The lease went while the records came, or it is to be freed; core forgets the world then. */
static void loaded_late(struct leases *l, struct lease *lease, bool is_in_core)
{
    bool is_held = l->releasing && lease->deadline_ms > l->port->clock(l->port->ctx);

    lease_go(lease, is_held ? LEASE_CLOSING : LEASE_SOUGHT, &l->stats);
    lease->closed = is_held;
    if (is_in_core && !is_held)
        l->port->drop(l->port->ctx, lease->world);
    leases_hurry(l);
}

static void load_again(struct leases *l, struct lease *lease)
{
    if (lease->gone) {
        loaded_late(l, lease, false);
        return;
    }
    lease->load_due = false;
    lease->load_epoch = lease->epoch;
    l->port->load(l->port->ctx, lease->world, lease->epoch);
}

static void lease_tick(struct leases *l, struct lease *lease, int64_t now)
{
    if (lease->state == LEASE_OURS && (lease->idle || l->releasing))
        close_world(l, lease);
    if (lease->state == LEASE_LOADING && l->releasing)
        lease->gone = true;
    if (lease->state == LEASE_LOADING && lease->load_due)
        load_again(l, lease);
    if (is_over(lease, now))
        leases_drop(l, lease, LEASE_SOUGHT);
    if (lease->state == LEASE_BROKEN && lease->retry_ms <= now)
        lease_go(lease, LEASE_SOUGHT, &l->stats);
    if (is_forgotten(l, lease, now)) {
        --*(lease->state == LEASE_SOUGHT ? &l->stats.sought : &l->stats.others);
        forget(l, lease);
    }
}

void leases_tick(struct leases *l, int64_t now)
{
    LIST_EACH_SAFE (&l->all, it, tmp)
        lease_tick(l, CONTAINER_OF(it, struct lease, node), now);
    leases_peers_tick(l, now);
    leases_tend_tick(l, now);
    leases_settle(l, false, now);
}

/* ---- what others ask */

static struct lease *find(struct leases *l, struct span world)
{
    return map_get(&l->by_world, world);
}

/* NULL: there are too many. */
static struct lease *asked(struct leases *l, struct span world, int64_t clock)
{
    struct lease *lease = find(l, world);

    if (lease == NULL && l->by_world.count < LEASES_MAX) {
        lease = lease_new(world, clock);
        map_add(&l->by_world, lease->world, lease);
        list_push(&l->all, &lease->node);
        l->stats.sought++;
        leases_hurry(l);
    }
    if (lease != NULL) {
        lease->asked_ms = clock;
        lease->idle = false;
    }
    return lease;
}

enum owner leases_find(struct leases *l, struct span world)
{
    return leases_place(l, world).owner;
}

struct lease_place leases_place(struct leases *l, struct span world)
{
    int64_t clock = l->port->clock(l->port->ctx);
    struct lease *lease = asked(l, world, clock);

    if (lease == NULL)
        return (struct lease_place){.owner = OWNER_SOUGHT};
    enum owner owner = lease_owner(lease, &l->consent, clock);
    if (owner == OWNER_SOUGHT)
        lease->waits = true;
    return (struct lease_place){
        .owner = owner,
        .url = leases_url(l, lease, clock),
        .epoch = lease->seen,
        .why = owner == OWNER_BROKEN ? lease->why : (struct span){0},
        .leaving = is_leaving(l, lease),
    };
}

void leases_doubt(struct leases *l, struct span world)
{
    struct lease *lease = asked(l, world, l->port->clock(l->port->ctx));

    if (lease == NULL)
        return;
    lease->waits = true;
    lease->doubted = lease->state == LEASE_OTHERS;
    leases_hurry(l);
}

void leases_look(struct leases *l, struct span world)
{
    (void)asked(l, world, l->port->clock(l->port->ctx));
    leases_hurry(l);
}

static void outdate(struct leases *l, struct lease *lease)
{
    l->stats.outdated += lease->outdated ? 0 : 1;
    lease->outdated = true;
    lease->outdated_ms = l->port->clock(l->port->ctx);
}

/* Epochs are ms of Redis' clock, a few more at most. One that no clock reaches would be a lease
 * that Redis' script cannot read. */
static const int64_t epoch_max = 99999999999999;

void leases_saw(struct leases *l, struct span world, int64_t epoch)
{
    struct lease *lease = find(l, world);

    if (lease == NULL || epoch > epoch_max || !lease_note_epoch(lease, epoch))
        return;
    if (lease_is_held(lease))
        outdate(l, lease);
    if (lease->state == LEASE_OTHERS)
        lease->doubted = true;
    leases_hurry(l);
}

void leases_idle(struct leases *l, struct span world)
{
    struct lease *lease = find(l, world);

    if (lease == NULL || lease->state != LEASE_OURS || lease->idle)
        return;
    lease->idle = true;
    l->port->wake(l->port->ctx, l->port->clock(l->port->ctx));
}

void leases_release(struct leases *l)
{
    l->releasing = true;
    l->port->wake(l->port->ctx, l->port->clock(l->port->ctx));
}

bool leases_are_released(const struct leases *l)
{
    if (!l->releasing || l->tending)
        return false;
    LIST_EACH (&l->all, it) {
        if (lease_is_held(CONTAINER_OF(it, struct lease, node)))
            return false;
    }
    return true;
}

/* ---- completions */

void leases_loaded(struct leases *l, struct span world, enum err e, struct span why, int64_t now)
{
    struct lease *lease = find(l, world);

    assert(lease != NULL && lease->state == LEASE_LOADING);
    if (lease->gone) {
        loaded_late(l, lease, e == ERR_OK);
    } else if (e == ERR_OK) {
        bool was_outdated = lease->outdated;
        lease_go(lease, LEASE_OURS, &l->stats);
        lease->outdated = was_outdated;
        if (lease->epoch > lease->load_epoch)
            l->port->raise(l->port->ctx, lease->world, lease->epoch);
    } else if (e == ERR_IO) {
        lease->load_due = true;
    } else {
        leases_break(l, lease, why, now);
        leases_hurry(l);
    }
    leases_settle(l, false, now);
}

void leases_closed(struct leases *l, struct span world, int64_t now)
{
    struct lease *lease = find(l, world);

    if (lease == NULL || lease->state != LEASE_CLOSING || lease->closed)
        return;
    lease->closed = true;
    leases_hurry(l);
    leases_settle(l, false, now);
}

void leases_lost(struct leases *l, struct span world, int64_t now)
{
    struct lease *lease = find(l, world);

    if (lease == NULL || !lease_is_held(lease))
        return;
    /* After its end it is no news that Redis does not know it; what peers say still counts. */
    if (l->port->clock(l->port->ctx) < lease->deadline_ms)
        outdate(l, lease);
    leases_hurry(l);
    leases_settle(l, false, now);
}
