/* What Redis is asked for each world, and what follows from what it says. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "world/core/leases/leases_state.h"

enum {
    THIRDS = 3,      /* calls per ttl */
    MARGIN = 20,     /* the part of the ttl that we leave to Redis' clock */
    JITTER_PART = 30 /* of the ttl, so that processes do not call in step */
};

/* ---- wishes */

/* Somebody has emptied Redis: whoever has the world is about to write all of it anew. */
static bool is_awaited(const struct leases *l, const struct lease *lease, int64_t now)
{
    return lease->vanished && (now < lease->ends_ms || now < l->back_ms + LEASES_BACK_MS);
}

/* A call that finds no answer may still come to Redis much later. So that it then takes nothing
 * from who decides on without Redis, worlds are only wanted while Redis answers, and another's when
 * its lease has probably ended. */
static bool may_take(const struct leases *l, const struct lease *lease, int64_t now)
{
    bool is_early = now < l->back_ms + LEASES_GRACE_MS; /* an owner may not have asked us */

    if (l->releasing || l->away || is_early || leases_in_grace(l, now) ||
        !lease_is_wanted(lease, now) || is_awaited(l, lease, now))
        return false;
    return lease->state == LEASE_SOUGHT || lease->ends_ms <= now;
}

/* False: nothing is asked for it now. */
static bool wish_for(const struct leases *l, const struct lease *lease, int64_t now,
                     struct lease_wish *out)
{
    *out = (struct lease_wish){.world = lease->world, .op = LEASE_FREE};
    switch (lease->state) {
    case LEASE_SOUGHT:
    case LEASE_OTHERS:
        if (may_take(l, lease, now)) {
            out->op = LEASE_WANT;
            out->above = lease->seen;
        }
        return true;
    case LEASE_CLOSING:
        if (lease->closed)
            return true;
        break;
    case LEASE_BROKEN:
        return !lease->freed;
    case LEASE_LOADING:
        if (lease->gone)
            return true;
        break;
    case LEASE_OURS:
    case LEASE_STATES:
        break;
    }
    out->op = LEASE_KEEP;
    out->epoch = lease->epoch;
    out->above = lease->seen;
    /* In grace, what may be another's by now is not taken again. */
    return !leases_in_grace(l, now) || lease_is_in_time(lease, &l->consent, now);
}

static size_t gather(struct leases *l, int64_t now)
{
    size_t count = 0;

    if (l->wishes_cap < l->by_world.count) {
        l->wishes_cap = l->by_world.count * 2;
        l->wishes = xreallocarray(l->wishes, l->wishes_cap, sizeof *l->wishes);
    }
    LIST_EACH (&l->all, it) {
        struct lease *lease = CONTAINER_OF(it, struct lease, node);
        lease->is_wished = wish_for(l, lease, now, &l->wishes[count]);
        if (!lease->is_wished)
            continue;
        lease->wish = l->wishes[count++].op;
    }
    return count;
}

static bool is_urgent(const struct leases *l, int64_t now)
{
    if (l->away)
        return true;
    LIST_EACH (&l->all, it) {
        if (lease_is_urgent(CONTAINER_OF(it, struct lease, node), now))
            return true;
    }
    return false;
}

/* When to call again, after an answer or a failure. */
static void plan(struct leases *l, int64_t now)
{
    int64_t ttl = l->settings->ttl_ms;
    int64_t jitter = (int64_t)rng_below(&l->rng, (uint64_t)(ttl / JITTER_PART) + 1);
    int64_t wait = is_urgent(l, now) ? LEASES_TRY_MS : ttl / THIRDS - jitter;

    l->tend_due_ms = l->tended_ms + wait;
    if (l->again && !l->away)
        l->tend_due_ms = now;
    l->again = false;
}

void leases_tend_tick(struct leases *l, int64_t now)
{
    if (l->tending || now < l->tend_due_ms)
        return;
    size_t count = gather(l, now);
    l->tending = true;
    l->again = false;
    l->tended_ms = now;
    l->port->tend(l->port->ctx, l->wishes, count);
}

/* ---- news */

static void said_ours(struct leases *l, struct lease *lease, int64_t epoch, int64_t sent_ms,
                      int64_t now)
{
    int64_t ttl = l->settings->ttl_ms, deadline_ms = sent_ms + ttl - ttl / MARGIN;

    (void)lease_note_epoch(lease, epoch);
    if (lease_is_held(lease) && lease->wish == LEASE_KEEP) {
        bool is_raised = epoch > lease->epoch;
        lease->deadline_ms = deadline_ms;
        lease->epoch = epoch;
        if (sent_ms >= lease->outdated_ms)
            lease->outdated = epoch < lease->seen;
        if (is_raised && lease->state != LEASE_LOADING)
            l->port->raise(l->port->ctx, lease->world, epoch);
        return;
    }
    /* What is ours without being taken is let go by the next call. */
    if (lease_is_held(lease) || lease->wish != LEASE_WANT || l->releasing ||
        leases_in_grace(l, now) || lease->state == LEASE_BROKEN)
        return;
    lease_go(lease, LEASE_LOADING, &l->stats);
    lease->epoch = lease->load_epoch = epoch;
    lease->deadline_ms = deadline_ms;
    l->stats.taken++;
    log_info("lease.taken", "world=%.*s", SPAN_ARG(lease->world));
    l->port->load(l->port->ctx, lease->world, epoch);
}

/* Somebody else has it, or had it meanwhile. */
static void lose(struct leases *l, struct lease *lease, enum lease_state to)
{
    l->stats.lost++;
    log_info("lease.lost", "world=%.*s", SPAN_ARG(lease->world));
    leases_drop(l, lease, to);
}

static void note_other(struct lease *lease, const struct lease_news *news, int64_t now)
{
    bool is_same = lease->other_epoch == news->epoch && span_eq(lease->url, news->url);
    int64_t ends_ms = now + news->left_ms;

    if (!is_same) {
        lease->waits |= !span_eq(lease->url, news->url);
        span_free(lease->url);
        lease->url = span_copy(news->url);
        lease->other_epoch = news->epoch;
    }
    /* The same again is believed when it has been prolonged, else once. */
    if (!is_same || ends_ms > lease->ends_ms + LEASES_TRY_MS)
        lease->doubted = lease->retried = false;
    else if (lease->doubted && !lease->retried) {
        lease->doubted = false;
        lease->retried = true;
    }
    lease->ends_ms = ends_ms;
    lease->vanished = false;
}

static void said_others(struct leases *l, struct lease *lease, const struct lease_news *news,
                        int64_t now)
{
    /* Whoever was here before us is gone, and its lease ends. */
    bool is_here = span_eq(news->url, l->settings->url);
    enum lease_state to = is_here ? LEASE_SOUGHT : LEASE_OTHERS;

    (void)lease_note_epoch(lease, news->epoch);
    if (lease->state == LEASE_LOADING) {
        lease->gone = true;
        return;
    }
    if (lease->state == LEASE_OURS || lease->state == LEASE_CLOSING)
        lose(l, lease, to);
    else if (lease->state == LEASE_BROKEN)
        lease->freed = true;
    else if (lease->state != to)
        lease_go(lease, to, &l->stats);
    if (!is_here)
        note_other(lease, news, now);
}

static void said_free(struct leases *l, struct lease *lease, int64_t epoch)
{
    (void)lease_note_epoch(lease, epoch);
    /* Who frees a lease is still among the processes, as is who has called since. */
    lease->vanished = epoch == 0 && lease->other_epoch > 0 && !leases_have_peer(l, lease->url);
    switch (lease->state) {
    case LEASE_OTHERS:
        lease_go(lease, LEASE_SOUGHT, &l->stats);
        l->again = true;
        break;
    case LEASE_LOADING:
        lease->gone = true;
        break;
    case LEASE_OURS:
        lose(l, lease, LEASE_SOUGHT);
        break;
    case LEASE_CLOSING:
        leases_drop(l, lease, LEASE_SOUGHT);
        break;
    case LEASE_BROKEN:
        lease->freed = true;
        break;
    case LEASE_SOUGHT:
    case LEASE_STATES:
        break;
    }
}

static void apply(struct leases *l, const struct lease_news *news, int64_t sent_ms, int64_t now)
{
    struct lease *lease = map_get(&l->by_world, news->world);

    if (lease == NULL || !lease->is_wished)
        return;
    lease->is_wished = false;
    switch (news->said) {
    case LEASE_IS_OURS:
        said_ours(l, lease, news->epoch, sent_ms, now);
        break;
    case LEASE_IS_OTHERS:
        said_others(l, lease, news, now);
        break;
    case LEASE_IS_FREE:
        said_free(l, lease, news->epoch);
        break;
    case LEASE_IS_BAD:
        if (lease->state == LEASE_LOADING)
            lease->gone = true;
        else if (lease->state != LEASE_BROKEN)
            leases_break(l, lease, news->why, now);
        lease->freed = true;
        break;
    }
}

void leases_tended(struct leases *l, const struct lease_news *news, size_t count,
                   const struct lease_peer *peers, size_t peer_count, int64_t sent_ms, int64_t now)
{
    assert(l->tending);
    l->again |= l->away; /* now worlds may be wanted */
    if (l->away)
        l->back_ms = now;
    l->tending = l->away = false;
    l->reached_ms = now;
    leases_peers_set(l, peers, peer_count);
    for (size_t i = 0; i < count; i++)
        apply(l, &news[i], sent_ms, now);
    plan(l, now);
    leases_settle(l, false, now);
}

void leases_tend_failed(struct leases *l, int64_t now)
{
    assert(l->tending);
    l->tending = false;
    l->away = true;
    leases_step_down(l, l->tended_ms, now);
    plan(l, now);
    leases_settle(l, false, now);
}

void leases_redis_up(struct leases *l, int64_t now)
{
    if (l->tending)
        l->again = true;
    else
        l->tend_due_ms = now;
    l->port->wake(l->port->ctx, now);
}
