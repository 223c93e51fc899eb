#pragma once
/* What clients tell of the way that leads to a node: proxies before it that are not believed, or
 * that cut idle connections (docs/protocol.md, "Findings"). Part of checks.h. */
#include "common/base/span.h"
#include "common/proto/addr.h"

enum {
    CHECKS_LONE_SESSIONS = 10,        /* so many of one address, and of no other, */
    CHECKS_LONE_MS = 10 * 60 * 1000,  /* in so long */
    CHECKS_CUTS = 8,                  /* clients that broke off, remembered; */
    CHECKS_CUTS_MS = 10 * 60 * 1000,  /* for so long */
    CHECKS_CUTS_MIN = 3,              /* so many, and over three quarters of those, */
    CHECKS_CUT_SPREAD_MS = 1500,      /* after silences that differ by no more */
    CHECKS_CUT_SILENCE_MS = 5 * 1000, /* and no less than this; */
    CHECKS_CUT_APART_MS = 1000,       /* who falls together is cut off by something else */
};

struct checks;

struct checks_clients {
    struct addr lone; /* where all of `sessions` came from */
    struct {
        uint64_t id; /* a hash */
        int64_t seen_ms;
    } sessions[CHECKS_LONE_SESSIONS];
    size_t session_count;
    uint64_t unnamed; /* sessions without an id of their own, ever */
    struct {
        int64_t silence_ms, seen_ms;
    } cuts[CHECKS_CUTS]; /* the oldest first */
    size_t cut_count;
    int64_t cut_told_ms; /* the silence that the finding tells */
};

/* A request came straight from `peer`, who is not believed, with a header, or a PROXY header, that
 * says whom it is for; `header` names it. */
void checks_proxy(struct checks *c, const struct addr *peer, const char *header, int64_t now);
/* From now on these are believed: what was found of them is no more. */
void checks_trust(struct checks *c, const struct addr_set *trusted);
/* A client came in, straight from there; `session`: as it named it, or empty. `trusted`: the
 * address is one of our proxies' own. */
void checks_came(struct checks *c, const struct addr *from, bool trusted, struct span session,
                 int64_t now);
/* From now on silent clients are pinged after so long; 0: never. */
void checks_ping(struct checks *c, int64_t ping_ms);
/* A client broke off without a close frame, `silence_ms` after it was heard last. `ping_ms`: when
 * it would have been pinged; 0: never. */
void checks_broke_off(struct checks *c, int64_t silence_ms, int64_t ping_ms, int64_t now);
