#pragma once
/* Between a listener and the HTTP server: connections from some networks, which are load balancers,
 * must begin with a PROXY header (proxy_header.h) that says whose they are; nothing behind it is
 * read here. All others go straight on. The header comes before anything else, so before TLS. */
#include "common/base/list.h"
#include "common/net/http_server.h"

struct proxy_door_stats {
    uint64_t taken;   /* headers */
    uint64_t bad;     /* closed: something else came */
    uint64_t slow;    /* closed: its time was over */
    uint64_t ended;   /* by the peer before anything came, as health checks do */
    uint64_t full;    /* closed: so many waited that no more may */
    uint64_t waiting; /* gauge: connections whose header is not here */
};

struct proxy_door {
    struct loop *loop;
    const struct addr_set *networks;  /* borrowed */
    const struct http_limits *limits; /* header_ms: for the whole header; max_connections: how many
                                         may wait; borrowed */
    /* Takes the descriptor; `peer` is where the connection began, as far as is known. */
    void (*enter)(void *ctx, int fd, const struct addr *peer);
    void *ctx;
    struct proxy_door_stats *stats; /* borrowed */
    struct list waiting;
};

/* The fields down to `stats` are set. */
void proxy_door_init(struct proxy_door *d);
/* Takes a connected socket (a listener's `accepted`). `ctx` is the door. */
void proxy_door_accept(void *ctx, int fd);
/* Closes those that wait. */
void proxy_door_clear(struct proxy_door *d);
