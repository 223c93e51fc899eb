#pragma once
/* The end of the process (docs/design.md section 4, "Drain"): core gives up its clients, the
 * listener open; then listener, tunnels and requests; then the links, once what was written to them
 * is out; then worlds hear that the node is gone. Each step ends when nothing is left of it or its
 * time is over. */
#include "common/net/doors.h"
#include "shard/io/edge_client.h"
#include "shard/io/reporter.h"
#include "shard/io/room_link.h"

struct doorman;
struct greeter;
struct forwards;
struct passes;
struct tunnels;

enum farewell_state {
    FAREWELL_NOT,
    FAREWELL_CLIENTS, /* core closes them, and says when those go who pass through */
    FAREWELL_SOCKETS, /* they, tunnels and HTTP requests end */
    FAREWELL_LINKS,   /* links end */
    FAREWELL_WORLDS,  /* worlds hear the last */
    FAREWELL_OVER,    /* the loop was stopped */
};

/* What ends; all borrowed. */
struct farewell {
    struct ticker *ticker;
    struct doors *doors;
    struct http_server *server;
    struct doorman *doorman;
    struct greeter *greeter;
    struct edge_clients *clients;
    struct forwards *forwards;
    struct tunnels *tunnels, *peer_tunnels; /* to worlds, to other nodes */
    struct passes *passes;
    struct room_links *links;
    struct reporter *reporter;

    enum farewell_state state;
    int64_t since_ms; /* of the state */
    int64_t pass_ms;  /* when the next of those go who pass through to other nodes */
    struct timer look;
};

/* Begins it. False: it had begun already. */
bool farewell_begin(struct farewell *f);
/* Before the loop goes. */
void farewell_stop(struct farewell *f);
