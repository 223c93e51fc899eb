#pragma once
/* The end of the process: it is not ready any more; other processes may have its worlds, and get
 * what still comes for them; then no connections are taken, and all that is left has its answers,
 * and goes. Each step ends when nothing is left of it or its time is over. */
#include "world/io/server.h"
#include "world/io/shard_proxy.h"

enum farewell_state {
    FAREWELL_NOT,
    FAREWELL_RELEASE, /* what is changed is stored, and the leases go; requests wait */
    FAREWELL_FORWARD, /* they, and those that come, are passed on to whoever takes the leases */
    FAREWELL_SOCKETS, /* feeds, streams, tunnels and requests end */
    FAREWELL_OVER,    /* the loop was stopped */
};

/* What ends; all borrowed. */
struct farewell {
    struct loop *loop;
    struct server *server;
    struct feed_sockets *feeds;
    struct shard_proxy *shards;
    void (*close_doors)(void *ctx); /* closes the listeners */
    void *ctx;
    struct cluster *cluster; /* NULL: this process is the only one, and begins with the sockets */

    enum farewell_state state;
    int64_t since_ms; /* of the state */
    bool alone;       /* nobody was connected at the beginning */
    struct timer look;
};

/* Begins it. False: it had begun already. */
bool farewell_begin(struct farewell *f);
/* Before the loop goes. */
void farewell_stop(struct farewell *f);
