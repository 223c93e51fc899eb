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
    struct buf session;
};

/* False: it has been answered (401, 403, 503). Else k->shown is what was shown. */
bool gatekeeper_lets(struct gatekeeper *k, struct http_exchange *x, const struct route *r,
                     bool is_socket);
/* Without tokens and tickets, if they are ours. Good until the next call. */
struct arrived gatekeeper_shear(struct gatekeeper *k, const struct arrived *a);
/* The subprotocol to answer an upgrade with, which points into its head; {NULL, 0}: none. */
struct span gatekeeper_protocol(const struct arrived *a);
void gatekeeper_clear(struct gatekeeper *k);
