#pragma once
/* A node's process: its parts, and what its settings mean to each of them. main.c makes it run. */
#include "common/net/doors.h"
#include "common/net/notify.h"
#include "common/net/proxy_door.h"
#include "shard/io/checkup.h"
#include "shard/io/edge.h"
#include "shard/io/farewell.h"
#include "shard/io/heart.h"
#include "shard/io/identity.h"
#include "shard/io/reporter.h"
#include "shard/io/room_link.h"

struct process {
    int argc;
    char **argv;
    struct settings settings;
    struct node_settings node_settings;
    struct ws_settings client_settings, link_settings;
    struct greeter_settings greeter_settings;
    struct http_limits limits;
    struct addr_set trusted, fronts; /* TRUSTED_PROXIES, PROXY_PROTOCOL */
    struct span allowed_origins;
    struct secrets secrets; /* the cluster's */
    struct origins world_urls, room_urls;
    struct routes *routes;
    struct identity identity; /* since the door is open */
    struct token_keys *keys;  /* of clients' tokens; NULL: none are wanted */
    struct buf version;

    struct loop *loop;
    struct node *node;
    struct ticker ticker;
    struct io_stats stats;
    struct room_servers rooms;
    struct worlds worlds;
    struct room_links links;
    struct reporter reporter;
    struct heart heart;
    struct edge_clients clients;
    struct forwards forwards;
    struct tunnels tunnels, peer_tunnels;
    struct pools peers; /* other nodes */
    struct questions questions;
    struct arrivals arrivals;
    struct checkups checkups;
    struct passes passes;
    struct room_proxy room_proxy;
    struct world_proxy world_proxy;
    struct doorman doorman;
    struct greeter greeter;
    struct edge edge;
    struct http_server *server;
    struct doors doors;

    struct turn_end reloading;
    struct timer facts; /* when to look at certificates again */
    struct farewell farewell;
    struct notify notify;
    bool failed; /* core cannot go on */
};

/* What core asks the process for (port.c); its `io` is the process. */
extern const struct node_port process_port;

/* Says what p->settings, which settings_table has checked, mean to each part (derive.c). */
void process_derive(struct process *p);
/* The same for what may change while the process runs, all of it: the rows of settings_table marked
 * so. The parts have pointers to what is changed here, or copied what they needed. */
void process_derive_again(struct process *p);
/* Reads the settings again, and uses those that can change (reload.c; docs/operations.md). */
void process_reload(struct process *p);
/* How many descriptors a client takes: who passes takes two. */
unsigned process_descriptors_each(const struct routes *routes);
/* Frees what process_derive made. */
void process_underive(struct process *p);

/* Tells core what is wrong with the settings and files in use, now and from time to time (facts.c);
 * after process_wire, and when they have changed. */
void process_look(struct process *p);

/* Makes the parts; p->loop is there and process_derive has run. Nothing listens yet. */
void process_wire(struct process *p);
/* Ends what is under way, turns the loop as long as that takes, and frees the parts. */
void process_unwire(struct process *p);
