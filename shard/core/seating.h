#pragma once
/* Who may sit down at a shard of this node (docs/design.md section 4, "Seats"): never more than its
 * capacity, but for sessions that are there already; and the seats that are kept for sessions
 * whose socket broke off without a closing handshake. Off while SEAT_TTL is 0 and for shards whose
 * capacity nobody has told. */
#include "common/base/list.h"
#include "common/base/map.h"
#include "common/base/span.h"
#include "common/base/wheel.h"

struct shard;

enum {
    /* A broken-off session's seat is kept so long. PartySocket tries after 3 s, gives a try up
     * after 4 s and comes again 3.9 s later: two tries, and a second for the handshake. */
    SEATING_KEEP_MS = 12000,
    SEATING_ADOPTED_MAX = 75,   /* sockets of a shard that nobody created */
    SEATING_SESSION_SOCKETS = 4 /* of one session, on one seat */
};

/* Embedded in a shard. */
struct seating {
    struct shard *shard;
    bool bounded; /* `max` counts; whoever follows the world's orders sets both */
    uint64_t max;
    uint64_t admitted, readmitted; /* ever, see proto/beat.h */
    uint64_t doubles; /* sockets that take no seat: the second to fourth of their sessions. Whoever
                         comes back before its old socket is missed must not take the seat that is
                         promised to somebody else */
    struct map kept;  /* session id → struct kept_seat */
    struct list kept_order; /* the first to end first */
    struct timer timer;
};

enum seat_verdict {
    SEAT_FREE, /* a newcomer may take one */
    SEAT_OWN,  /* the session has one: kept, or by another socket */
    SEAT_NONE, /* full */
};

void seating_init(struct seating *s, struct shard *shard);
/* Nobody created the shard, says its world: SEATING_ADOPTED_MAX is its capacity until an order
 * tells another. */
void seating_adopt(struct seating *s);
/* What the session would get; changes nothing. An empty id is that of a newcomer. */
enum seat_verdict seating_look(const struct seating *s, struct span session);
/* A socket was added to, or removed from, a session of the shard that has `sockets` now. */
void seating_count(struct seating *s, size_t sockets, bool added);
/* It has come in. */
void seating_take(struct seating *s, struct span session, enum seat_verdict verdict);
/* The last socket of an explicit session broke off: its seat is kept, if there are bounds at all
 * and the shard does not drain (nobody comes back there, and its end would wait for the seat). */
void seating_keep(struct seating *s, struct span session, int64_t now);
/* The session is not expected back: its seat is free, if it was kept. */
void seating_release(struct seating *s, struct span session);
static inline uint64_t seating_kept(const struct seating *s)
{
    return s->kept.count;
}
void seating_clear(struct seating *s);
/* Asserts what must always hold. */
void seating_check(const struct seating *s);
