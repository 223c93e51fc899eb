#pragma once
/* What the files of leases share; nobody else's. */
#include "common/base/map.h"
#include "world/core/leases/lease.h"

struct leases {
    const struct lease_port *port;
    const struct lease_settings *settings;
    struct rng rng;
    struct map by_world; /* struct lease */
    struct list all;
    struct lease_stats stats;
    bool releasing;

    /* Redis */
    bool tending, again; /* under way; something new has come up meanwhile */
    bool away;           /* it did not answer the last time */
    int64_t tended_ms;   /* when it was sent last */
    int64_t tend_due_ms;
    int64_t reached_ms; /* when Redis answered last */
    int64_t back_ms;    /* when it did so for the first time after it was away */
    struct lease_wish *wishes;
    size_t wishes_cap;

    /* peers */
    struct lease_peer *peers; /* with their spans owned */
    size_t peer_count;
    bool asking;
    int64_t ask_due_ms;
    struct lease_consent consent;
    struct span reach_url;  /* owned: of a peer that reached Redis */
    int64_t reach_since_ms; /* the first of those asked in a row */
    int64_t reach_asked_ms; /* and the last */
    int64_t reach_ms;       /* it did so then, or later */
    int64_t grace_ms;       /* no foreign lease is taken before */
};

/* ---- leases.c */

/* Redis is asked at once, or right after the call that is under way. */
void leases_hurry(struct leases *l);
/* The lease is not ours any more: core forgets the world. */
void leases_drop(struct leases *l, struct lease *lease, enum lease_state to);
void leases_break(struct leases *l, struct lease *lease, struct span why, int64_t now);
/* Tells those who wait of what has changed, and asks to be woken. Ends every call that may change
 * who decides. `guesses`: of places that are only guessed, too. */
void leases_settle(struct leases *l, bool guesses, int64_t now);
/* Where to pass requests on to, or nothing. */
struct span leases_url(const struct leases *l, const struct lease *lease, int64_t now);

/* ---- lease_tend.c: what Redis is asked and says */

void leases_tend_tick(struct leases *l, int64_t now);

/* ---- lease_peers.c: while Redis is away */

void leases_peers_tick(struct leases *l, int64_t now);
/* The peers there are, as Redis says. */
void leases_peers_set(struct leases *l, const struct lease_peer *peers, size_t count);
bool leases_have_peer(const struct leases *l, struct span url);
/* Redis did not answer what was sent at `sent_ms`: what a peer that reaches it may have taken is
 * dropped. */
void leases_step_down(struct leases *l, int64_t sent_ms, int64_t now);
bool leases_in_grace(const struct leases *l, int64_t now);
