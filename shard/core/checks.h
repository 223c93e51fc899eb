#pragma once
/* What a node finds wrong with itself and around it (docs/protocol.md, "Findings"): io tells what
 * it has seen, this decides what it means, and worlds hear of it in beats. What was seen is
 * forgotten CHECKS_EVIDENCE_MS after it was seen last; facts of the node itself hold until io says
 * otherwise. Nothing here is on the way of messages; memory is bounded whatever strangers do. */
#include "common/base/wheel.h"
#include "common/proto/addr.h"
#include "common/proto/checkup.h"
#include "common/proto/finding.h"
#include "shard/core/checks_clients.h"

enum {
    CHECKS_EVIDENCE_MS = 10 * 60 * 1000,
    /* Clients that do not get through to another node: for so long it may just be dying, and then
     * nobody tries it any more; who is quiet for so long has begun anew. */
    CHECKS_PEER_FAILS_MS = 15 * 1000,
    CHECKS_PEER_QUIET_MS = 60 * 1000,
    CHECKS_PEERS_MAX = 16, /* whose failures are remembered at a time */
};

struct node;
struct world;

/* When a finding was seen last. */
struct checks_evidence {
    enum finding_check check;
    uint64_t subject; /* map_hash */
    int64_t seen_ms;
};

struct checks {
    struct node *node;
    struct findings findings;
    struct checks_evidence evidence[FINDINGS_MAX];
    size_t evidence_count;
    struct timer timer; /* when the next evidence is too old */
    struct checks_clients clients;
    struct checks_failing {
        uint64_t peer; /* map_hash of its id; 0: nobody */
        int64_t first_ms, last_ms;
    } failing[CHECKS_PEERS_MAX];
    bool checking; /* io is at a checkup, */
    int64_t checking_id, checking_since_ms;
};

void checks_init(struct checks *c, struct node *n);
void checks_clear(struct checks *c);

/* A fact of the node itself: descriptors, certificate, weak-secret. */
void checks_fact(struct checks *c, enum finding_check check, struct span subject, bool is_so,
                 struct span detail);
/* Something that was seen, or seen to be otherwise. */
void checks_seen(struct checks *c, enum finding_check check, struct span subject,
                 struct span detail, int64_t now);
void checks_disproved(struct checks *c, enum finding_check check, struct span subject);

/* ---- room servers: what came of a dial, be it a link's or a checkup's */
enum checks_room {
    CHECKS_ROOM_OPEN,    /* it has answered the upgrade with 101 */
    CHECKS_ROOM_STANDS,  /* and has kept it, or said something */
    CHECKS_ROOM_SILENT,  /* no connection, or no HTTP */
    CHECKS_ROOM_REFUSES, /* it answers HTTP, but the upgrade with `status`, or (0) not in HTTP */
    CHECKS_ROOM_CUTS,    /* it has closed it at once, without a word */
};
/* `origin` is the server's; `why` says more of a failure. */
void checks_room(struct checks *c, struct span origin, enum checks_room what, int status,
                 const char *why, int64_t now);

/* ---- other nodes */
enum checks_peer {
    CHECKS_PEER_WELL,
    CHECKS_PEER_SILENT,  /* no connection, or no HTTP */
    CHECKS_PEER_ANOTHER, /* another process answers there */
    CHECKS_PEER_DENIED,  /* it does not believe our signature, */
    CHECKS_PEER_LATE,    /* or only its time */
};
/* What came of a checkup's dial to `url`. */
void checks_peer(struct checks *c, struct span node, struct span url, enum checks_peer what,
                 const char *why, int64_t now);
/* A client who should have gone there did not get through. */
void checks_peer_missed(struct checks *c, struct span node, struct span url, const char *why,
                        int64_t now);

/* ---- checkups, one at a time */
/* A world asks for one: io is told, unless it is at one, or has done this one. The answers to later
 * beats ask again. */
void checks_ask(struct checks *c, struct world *w, const struct checkup *asked, int64_t now);
/* It is done; what it has not seen again of rooms and peers is no more. `w`: NULL, the world has
 * been forgotten. */
void checks_done(struct checks *c, struct world *w, int64_t now);

/* Unix ms; 0: nobody can tell. */
int64_t checks_wall_ms(const struct checks *c);
