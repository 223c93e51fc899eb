#pragma once
/* The end of the process: no new connections; those that are there have their answers, and go. Each
 * step ends when nothing is left of it or its time is over. */
#include "common/net/listener.h"
#include "world/io/server.h"
#include "world/io/shard_proxy.h"

enum farewell_state {
    FAREWELL_NOT,
    FAREWELL_SOCKETS, /* feeds, streams, tunnels and requests end */
    FAREWELL_OVER,    /* the loop was stopped */
};

/* What ends; all borrowed. */
struct farewell {
    struct loop *loop;
    struct server *server;
    struct feed_sockets *feeds;
    struct shard_proxy *shards;

    enum farewell_state state;
    int64_t since_ms; /* of the state */
    struct timer look;
};

/* Begins it: listeners are closed already. False: it had begun already. */
bool farewell_begin(struct farewell *f);
/* Before the loop goes. */
void farewell_stop(struct farewell *f);
