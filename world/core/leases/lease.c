/* The states of one lease, and who decides in them. */
#include "world/core/leases/lease.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"

static const uint8_t lease_next[LEASE_STATES] = {
    [LEASE_SOUGHT] = 1u << LEASE_OTHERS | 1u << LEASE_LOADING | 1u << LEASE_BROKEN,
    [LEASE_OTHERS] = 1u << LEASE_SOUGHT | 1u << LEASE_LOADING | 1u << LEASE_BROKEN,
    [LEASE_LOADING] =
        1u << LEASE_OURS | 1u << LEASE_CLOSING | 1u << LEASE_SOUGHT | 1u << LEASE_BROKEN,
    [LEASE_OURS] =
        1u << LEASE_CLOSING | 1u << LEASE_SOUGHT | 1u << LEASE_OTHERS | 1u << LEASE_BROKEN,
    [LEASE_CLOSING] = 1u << LEASE_SOUGHT | 1u << LEASE_OTHERS | 1u << LEASE_BROKEN,
    [LEASE_BROKEN] = 1u << LEASE_SOUGHT,
};

struct lease *lease_new(struct span world, int64_t now)
{
    struct lease *lease = xcalloc(1, sizeof *lease);

    lease->world = span_copy(world);
    lease->asked_ms = now;
    return lease;
}

void lease_free(struct lease *lease)
{
    span_free(lease->world);
    span_free(lease->url);
    span_free(lease->why);
    free(lease);
}

static uint64_t *gauge_of(enum lease_state state, struct lease_stats *stats)
{
    switch (state) {
    case LEASE_OTHERS:
        return &stats->others;
    case LEASE_OURS:
        return &stats->ours;
    case LEASE_BROKEN:
        return &stats->broken;
    case LEASE_SOUGHT:
    case LEASE_LOADING:
    case LEASE_CLOSING:
    case LEASE_STATES:
        break;
    }
    return &stats->sought;
}

void lease_go(struct lease *lease, enum lease_state to, struct lease_stats *stats)
{
    assert(lease_next[lease->state] & 1u << to);
    if (lease->state == LEASE_OTHERS)
        lease->waits = true; /* whoever was sent there looks again */
    --*gauge_of(lease->state, stats);
    ++*gauge_of(to, stats);
    lease->state = to;
    lease->outdated = lease->idle = lease->load_due = lease->gone = lease->closed = false;
    lease->doubted = lease->retried = lease->freed = false;
}

bool lease_is_held(const struct lease *lease)
{
    return lease->state == LEASE_LOADING || lease->state == LEASE_OURS ||
           lease->state == LEASE_CLOSING;
}

bool lease_is_in_time(const struct lease *lease, const struct lease_consent *c, int64_t clock)
{
    return clock < lease->deadline_ms || (clock < c->until_ms && c->reach_ms <= lease->deadline_ms);
}

bool lease_is_sure(const struct lease *lease, const struct lease_consent *c, int64_t clock)
{
    return lease->state == LEASE_OURS && !lease->outdated && lease_is_in_time(lease, c, clock);
}

enum owner lease_owner(const struct lease *lease, const struct lease_consent *c, int64_t clock)
{
    switch (lease->state) {
    case LEASE_OTHERS:
        return lease->doubted ? OWNER_SOUGHT : OWNER_OTHER;
    case LEASE_OURS:
        return lease_is_sure(lease, c, clock) ? OWNER_US : OWNER_SOUGHT;
    case LEASE_BROKEN:
        return OWNER_BROKEN;
    case LEASE_SOUGHT:
    case LEASE_LOADING:
    case LEASE_CLOSING:
    case LEASE_STATES:
        break;
    }
    return OWNER_SOUGHT;
}

bool lease_is_wanted(const struct lease *lease, int64_t now)
{
    return now - lease->asked_ms < LEASES_WANTED_MS;
}

bool lease_is_urgent(const struct lease *lease, int64_t now)
{
    switch (lease->state) {
    case LEASE_SOUGHT:
        return lease_is_wanted(lease, now);
    case LEASE_OTHERS:
        return (lease->doubted || lease->ends_ms <= now) && lease_is_wanted(lease, now);
    case LEASE_LOADING:
    case LEASE_OURS:
        return lease->outdated || lease->deadline_ms <= now;
    case LEASE_CLOSING:
        return lease->closed;
    case LEASE_BROKEN:
        return !lease->freed;
    case LEASE_STATES:
        break;
    }
    return false;
}

bool lease_note_epoch(struct lease *lease, int64_t epoch)
{
    if (epoch <= lease->seen)
        return false;
    lease->seen = epoch;
    return true;
}
