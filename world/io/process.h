#pragma once
/* A world process: its parts, and what its settings mean to each of them. main.c makes it run. */
#include "common/net/doors.h"
#include "common/net/notify.h"
#include "common/net/proxy_door.h"
#include "world/io/farewell.h"
#include "world/io/feed_sockets.h"
#include "world/io/prober.h"
#include "world/io/server.h"
#include "world/io/settings.h"
#include "world/io/shard_proxy.h"
#include "world/io/stores.h"
#include "world/io/ticker.h"

struct process {
    int argc;
    char **argv;
    struct settings settings;
    struct secrets secrets; /* the cluster's */
    struct token_keys *keys;
    struct addr_set trusted, fronts; /* TRUSTED_PROXIES, PROXY_PROTOCOL */
    struct core_settings core_settings;
    struct server_settings server_settings;
    struct ws_settings ws_settings;
    struct port port;
    struct core core;
    struct loop *loop;
    struct doors doors;
    struct listener *back_listener;
    struct server server;
    struct proxy_door_stats door_stats;
    struct shard_proxy shards;
    struct feed_sockets feeds;
    struct metrics metrics;
    struct stores stores;
    struct ticker ticker;
    struct prober prober;
    struct turn_end reloading;
    struct farewell farewell;
    struct notify notify;
    struct timer facts, store_look; /* when process_look and the store are due */
};

/* Says what p->settings, which settings_table has checked, mean to each part (derive.c). */
void process_derive(struct process *p);
/* The same for what may change while the process runs, all of it: the rows of settings_table marked
 * so. The parts have pointers to what is changed here, or copied what they needed. */
void process_derive_again(struct process *p);
/* Reads the settings again, and uses those that can change (reload.c; docs/operations.md). */
void process_reload(struct process *p);
/* Looks for what is wrong with settings, certificates, descriptors and secrets (facts.c): at the
 * start, after a reload, and each hour by itself. */
void process_look(struct process *p);
/* Looks at the file of DATA_DIR, if there is one, each second. */
void process_watch_store(struct process *p);
/* Ends both. */
void process_look_away(struct process *p);
/* Frees what process_derive made. */
void process_underive(struct process *p);

/* Makes the parts; p->loop is there, process_derive has run and the store is open. Nothing listens
 * yet. */
void process_wire(struct process *p);
/* Ends what is under way, turns the loop as long as that takes, and frees the parts. False: what
 * the store still had to write is lost. */
MUST_CHECK bool process_unwire(struct process *p);
