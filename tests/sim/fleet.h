#pragma once
/* The nodes' processes: their cores, the sockets that they hold, their links and beats. */
#include "common/base/list.h"
#include "shard/core/place.h"
#include "tests/sim/net.h"

/* A client's socket, at the node that serves it. */
struct socket {
    struct list node; /* of the station */
    struct handle handle;
    int client;
    uint64_t attempt; /* of the client's, by which it came */
    int via;          /* host through which it came; the station's own if directly */
    bool is_dead;     /* the client is gone, and the node has not noticed */
    bool passes;      /* it goes past the link: no room hears of it */
    char shard[SIM_ID_MAX];
};

/* A node. */
struct station {
    struct sim *sim;
    struct host *host;
    struct node *core; /* NULL: the process is down */
    char id[16], url[48];
    struct node_settings settings;
    struct list sockets;
    bool ends;                        /* it was told to */
    int64_t due_ms;                   /* the next tick that is planned */
    int64_t seen_epoch, seen_version; /* orders that it followed last */
};

struct fleet {
    struct sim *sim;
    struct node_port port;
    struct station stations[SIM_NODES_MAX];
};

struct fleet *fleet_new(struct sim *s);
void fleet_free(struct fleet *f);
struct station *fleet_station(struct fleet *f, struct span id); /* NULL: nobody has that id */
static inline struct station *fleet_at(struct fleet *f, int host)
{
    return &f->stations[host - 1];
}

void station_start(struct station *st);
/* As kill -9 does: its sockets break off. */
void station_kill(struct station *st);
/* As SIGTERM does; the process is gone some time later. */
void station_end(struct station *st);
/* To be called after every call into the core. */
void station_touch(struct station *st);
/* A client of that session comes in. ERR_OK: the socket is there. */
enum err station_open(struct station *st, struct span shard, struct span session,
                      const struct socket *from, enum node_reason *why);
/* The client's end is gone; the node learns of it now. Harmless if it is gone already. */
void station_close(struct station *st, int client, uint64_t attempt, enum node_reason why);
struct socket *station_socket(struct station *st, int client, uint64_t attempt);
/* A link of one of its shards falls. */
void station_drop_link(struct station *st);
