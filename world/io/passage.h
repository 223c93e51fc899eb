#pragma once
/* Requests and feed sockets of worlds that another process decides for: passed on to it, one hop,
 * or held until there is one (docs/protocol.md, "Several worlds"). Head and body are in memory, so
 * that whatever may be repeated is tried anew when an owner dies under it. */
#include "common/net/held.h"
#include "common/net/pools.h"
#include "common/net/tunnel.h"
#include "world/core/leases/leases.h"

struct server;
struct request;
struct passage;

struct passage_settings {
    struct span secrets; /* the cluster's */
    int64_t wait_ms;     /* WORLD_WAIT */
};

struct passage_stats {
    uint64_t passed, waited, retried, timed_out, misdirected, outdated;
    uint64_t now;          /* gauge */
    struct histogram time; /* of those passed on, microseconds */
};

/* All borrowed. */
struct passage *passage_new(struct loop *l, struct server *server, struct leases *leases,
                            const struct passage_settings *settings, struct passage_stats *stats);
void passage_free(struct passage *p);
/* Takes a request over that core would not decide (reply_port.pass): it is answered from elsewhere,
 * or handed to core again. */
void passage_take(struct passage *p, struct request *r, struct span world);
/* Takes a feed socket's upgrade over. */
void passage_take_feed(struct passage *p, struct http_exchange *x, struct span world);
/* Where the world is has changed. */
void passage_moved(struct passage *p, struct span world);
/* What is under way, for the end of the process. */
size_t passage_count(const struct passage *p);
