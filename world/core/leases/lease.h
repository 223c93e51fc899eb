#pragma once
/* One world as this process knows it: the states of its lease, and what follows from them at a
 * moment. Its moves are leases_*.c's; it calls nobody. Sources: docs/design.md section 7. */
#include "common/base/list.h"
#include "world/core/leases/leases.h"

enum lease_state {
    LEASE_SOUGHT,  /* nobody is known to decide */
    LEASE_OTHERS,  /* another process decides */
    LEASE_LOADING, /* the lease is ours, the records are on their way */
    LEASE_OURS,    /* we decide, as long as we can be sure */
    LEASE_CLOSING, /* what is left is written, then the lease is freed */
    LEASE_BROKEN,  /* what is stored cannot be read */
    LEASE_STATES,
};

struct lease {
    struct list node;  /* leases.all */
    struct span world; /* owned */
    enum lease_state state;
    int64_t asked_ms; /* somebody wanted to know who decides */
    int64_t seen;     /* the highest epoch */
    bool waits; /* somebody was told OWNER_SOUGHT, or of an owner of before, and nothing since */
    bool is_wished; /* `wish` is under way */
    enum lease_op wish;

    /* LOADING, OURS, CLOSING */
    int64_t epoch;
    int64_t deadline_ms; /* the lease is surely ours until then */
    bool outdated;       /* somebody may have been owner since */
    int64_t outdated_ms; /* when that came up */
    bool idle;           /* OURS: nothing to remember */
    int64_t load_epoch;  /* LOADING: under which the records come */
    bool load_due;       /* LOADING: the last try met no Redis */
    bool gone;           /* LOADING: the lease is not ours any more, or not to be used */
    bool closed;         /* CLOSING: all is written */

    /* OTHERS, and who it was last in SOUGHT */
    struct span url;     /* owned */
    int64_t other_epoch; /* of its lease */
    int64_t ends_ms;     /* its lease, as far as we know */
    bool doubted;        /* it did not serve */
    bool retried;        /* and was tried once more since its lease was prolonged */
    bool vanished;       /* Redis knows neither the world any more nor that process */

    /* BROKEN */
    struct span why; /* owned */
    int64_t retry_ms;
    bool freed;
};

/* What peers said: leases of ours that end before `reach_ms` may have been taken by somebody; the
 * others stay ours until `until_ms`. */
struct lease_consent {
    int64_t until_ms, reach_ms;
};

struct lease *lease_new(struct span world, int64_t now); /* SOUGHT; freed with lease_free */
void lease_free(struct lease *lease);
/* Moves, keeps the gauges, and forgets what the old state knew. */
void lease_go(struct lease *lease, enum lease_state to, struct lease_stats *stats);
/* The lease or its records are with us. */
bool lease_is_held(const struct lease *lease);
/* Held: nobody we have heard can have taken it by `clock`. */
bool lease_is_in_time(const struct lease *lease, const struct lease_consent *c, int64_t clock);
/* OURS, and nobody else can decide at `clock`. */
bool lease_is_sure(const struct lease *lease, const struct lease_consent *c, int64_t clock);
enum owner lease_owner(const struct lease *lease, const struct lease_consent *c, int64_t clock);
/* It was asked for lately: worth taking. */
bool lease_is_wanted(const struct lease *lease, int64_t now);
/* Redis is to be asked often: somebody waits for news. */
bool lease_is_urgent(const struct lease *lease, int64_t now);
/* Higher than what was seen so far: true. */
bool lease_note_epoch(struct lease *lease, int64_t epoch);
