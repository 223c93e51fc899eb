#pragma once
/* Stands at the gate: says no to those for whom it does not open, and takes what the others have
 * shown out of what goes further. */
#include "shard/io/arrival.h"

/* What of a request goes further. */
struct shorn {
    struct http_head head;
    struct route route;
    struct buf query, protocols;
};

struct gatekeeper {
    struct gate gate;
    struct io_stats *stats;
    struct shown shown; /* of the request at hand */
    struct shorn shorn; /* likewise */
    struct buf session, dialled;
};

/* False: it has been answered (401, 403, 503). Else k->shown is what was shown. */
bool gatekeeper_lets(struct gatekeeper *k, struct http_exchange *x, const struct route *r,
                     bool is_socket, const struct sender *from);
/* The same for one that is to be served here (gate_enter). */
bool gatekeeper_enters(struct gatekeeper *k, const struct arrived *a, int64_t now);
/* Its client is in (gate_entered). */
void gatekeeper_entered(struct gatekeeper *k, const struct arrived *a, int64_t now);
/* Without tokens and tickets, if they are ours. Good until the next call. */
struct arrived gatekeeper_shear(struct gatekeeper *k, const struct arrived *a);
/* The subprotocol to answer an upgrade with, which points into its head; {NULL, 0}: none. */
struct span gatekeeper_protocol(const struct arrived *a);
void gatekeeper_clear(struct gatekeeper *k);
