#pragma once
/* Tickets: a promise of /connect that a client can show (docs/protocol.md, "Tickets"). Made by the
 * world that owns the decision, verified by the node without asking anybody. Text of base64url and
 * dots:  `t1.{payload}.{HMAC-SHA-256}` under a key that is derived from a shard secret. */
#include "common/base/buf.h"
#include "common/proto/secret.h"

enum {
    TICKET_NONCE_LEN = 16,
    TICKET_MAX = 24 * 1024,
    TICKET_NAMES_MAX = 12 * 1024, /* bytes of all four names together */
    TICKET_LEEWAY_MS = 30 * 1000,
};

struct ticket {
    struct span world, shard, room, session; /* decoded */
    int64_t epoch;                           /* of the world */
    int64_t expires_ms;                      /* Unix time */
    uint8_t nonce[TICKET_NONCE_LEN];
    struct span trace; /* an id of 32 hex digits (trace.h); empty: none */
};

/* None of the names is empty, and together they are not too long. */
bool ticket_names_fit(const struct ticket *t);
/* Appends a ticket signed under the first of `secrets`. Its names fit, its times
 * are not 0. */
void ticket_add(struct buf *out, const struct secrets *secrets, const struct ticket *t);
/* Reads and verifies. The spans of *out point into `scratch`, which is emptied first.
 * ERR_SYNTAX: no ticket; ERR_DENIED: signed by none of `secrets`; ERR_EXPIRED: by more than
 * TICKET_LEEWAY_MS at `wall_ms`, then *out is set all the same. */
MUST_CHECK enum err ticket_open(const struct secrets *secrets, struct span text, int64_t wall_ms,
                                struct buf *scratch, struct ticket *out);
