/* While Redis is away: what ours and our peers' looks at it say about leases that have run out. */
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "world/core/leases/leases_state.h"

void leases_peers_set(struct leases *l, const struct lease_peer *peers, size_t count)
{
    for (size_t i = 0; i < l->peer_count; i++) {
        span_free(l->peers[i].id);
        span_free(l->peers[i].url);
    }
    l->peer_count = 0;
    if (count > 0)
        l->peers = xreallocarray(l->peers, count, sizeof *l->peers);
    for (size_t i = 0; i < count; i++) {
        /* Who was here before us is gone. */
        if (span_eq(peers[i].url, l->settings->url))
            continue;
        l->peers[l->peer_count++] = (struct lease_peer){
            .id = span_copy(peers[i].id),
            .url = span_copy(peers[i].url),
        };
    }
}

bool leases_have_peer(const struct leases *l, struct span url)
{
    for (size_t i = 0; i < l->peer_count; i++) {
        if (span_eq(l->peers[i].url, url))
            return true;
    }
    return false;
}

/* A lease of ours runs out soon, or somebody waits who could be passed on. */
static bool matters(const struct lease *lease, int64_t now)
{
    if (lease->state == LEASE_OURS)
        return lease->deadline_ms - now <= LEASES_EARLY_MS;
    return lease_is_urgent(lease, now) &&
           (lease->state == LEASE_SOUGHT || lease->state == LEASE_OTHERS);
}

static bool is_ask_due(const struct leases *l, int64_t now)
{
    if (!l->away || l->asking || now < l->ask_due_ms)
        return false;
    LIST_EACH (&l->all, it) {
        if (matters(CONTAINER_OF(it, struct lease, node), now))
            return true;
    }
    return false;
}

static void agree(struct leases *l, int64_t asked_ms, int64_t reach_ms)
{
    l->consent.until_ms = asked_ms + LEASES_PEERS_MS;
    l->consent.reach_ms = reach_ms;
    l->stats.extended++;
}

void leases_peers_tick(struct leases *l, int64_t now)
{
    if (!is_ask_due(l, now))
        return;
    l->ask_due_ms = now + LEASES_ASK_PEERS_MS;
    if (l->peer_count == 0) {
        agree(l, now, INT64_MIN);
        return;
    }
    l->asking = true;
    l->port->ask_peers(l->port->ctx, l->peers, l->peer_count);
}

/* What a peer that reaches Redis said still counts. */
static bool is_reached(const struct leases *l, int64_t now)
{
    return now < l->reach_asked_ms + LEASES_PEERS_MS;
}

void leases_peers_said(struct leases *l, const struct lease_answers *said, int64_t asked_ms,
                       int64_t now)
{
    l->asking = false;
    if (said->reach > 0) {
        span_free(l->reach_url);
        l->reach_url = span_copy(said->url);
        if (!is_reached(l, asked_ms))
            l->reach_since_ms = asked_ms;
        l->reach_asked_ms = asked_ms;
        l->reach_ms = asked_ms - said->ago_ms;
        leases_hurry(l); /* before we step down, we look ourselves */
    } else {
        l->reach_asked_ms = asked_ms - LEASES_PEERS_MS;
        /* The bound is late rather than early: nobody heard has reached Redis after it. */
        agree(l, asked_ms, said->away > 0 ? now - said->ago_ms : INT64_MIN);
    }
    leases_settle(l, true, now);
}

void leases_step_down(struct leases *l, int64_t sent_ms, int64_t now)
{
    if (!is_reached(l, now) || sent_ms < l->reach_since_ms)
        return;
    LIST_EACH (&l->all, it) {
        struct lease *lease = CONTAINER_OF(it, struct lease, node);
        if (lease->state != LEASE_OURS || lease->deadline_ms > now ||
            lease->deadline_ms > l->reach_ms)
            continue;
        l->stats.stepped_down++;
        log_warn("lease.stepped_down", "world=%.*s", SPAN_ARG(lease->world));
        leases_drop(l, lease, LEASE_SOUGHT);
    }
}

bool leases_in_grace(const struct leases *l, int64_t now)
{
    return now < l->grace_ms;
}

struct lease_reach leases_tell_peer(struct leases *l)
{
    int64_t clock = l->port->clock(l->port->ctx);
    struct lease_reach told = {.reaches = !l->away, .ago_ms = clock - l->reached_ms};

    if (l->away)
        l->grace_ms = clock + LEASES_PEERS_MS + LEASES_GRACE_MS;
    else if (told.ago_ms > LEASES_ASK_PEERS_MS)
        leases_hurry(l); /* whoever asks has trouble: the next answer is a fresh one */
    return told;
}

bool leases_peer(const struct leases *l, size_t i, struct span *id, struct span *url)
{
    if (i >= l->peer_count)
        return false;
    *id = l->peers[i].id;
    *url = l->peers[i].url;
    return true;
}
