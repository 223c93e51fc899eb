#pragma once
/* Feed sockets on their way to the process that decides for their world: through a tunnel, once
 * there is one. */
#include "common/net/held.h"
#include "common/proto/secret.h"
#include "world/io/seeker.h"

struct server;

struct feed_passings {
    struct server *server;
    struct seekers *seekers;
    const struct secrets *secrets; /* the cluster's */
    struct span id;                /* of this process */
    struct tunnels tunnels;
    struct held_ways ways; /* tunnels alone */
    struct list all;
};

/* All borrowed; it must not move. */
void feed_passings_init(struct feed_passings *all, struct loop *l, struct server *server,
                        struct seekers *seekers, const struct secrets *secrets, struct span id,
                        struct tunnel_stats *stats);
/* Takes an upgrade over: `client` is where it began, `trusted` whether the peer is believed in what
 * it says of the way so far. `hopped`: another process has passed it on. */
void feed_passing_begin(struct feed_passings *all, struct http_exchange *x, struct span world,
                        const struct addr *client, bool trusted, bool hopped);
/* The process stops: those that are open end with 1012, the others are refused. */
void feed_passings_close(struct feed_passings *all);
/* Cuts off what is left; it is gone when the loop has turned. */
void feed_passings_abort(struct feed_passings *all);
