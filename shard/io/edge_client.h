#pragma once
/* Clients: the WebSockets at the edge of a node. Named by core's handles. */
#include "common/base/rate.h"
#include "common/net/http_server.h"
#include "shard/io/handles.h"
#include "shard/io/io_stats.h"
#include "shard/io/packer.h"
#include "shard/io/settings.h"
#include "shard/io/ticker.h"

struct edge_client;

/* Somebody who waits for what a client says first. */
struct edge_greeting {
    const struct edge_greeting_ops *ops;
};
struct edge_greeting_ops {
    /* A first frame; borrowed until return. Answer with edge_client_enter or edge_client_dismiss,
     * in here. */
    void (*heard)(struct edge_greeting *g, struct span text);
    /* The client went away before. */
    void (*gone)(struct edge_greeting *g);
};

struct edge_clients {
    struct handles table;
    struct list all; /* closing ones too */
    struct ticker *ticker;
    const struct ws_settings *settings;
    struct rate_limit rate; /* messages of one client; burst 0: no limit */
    struct packer packer;
    bool deflate; /* what a rule that does not say wants */
    struct io_stats *stats;
};
/* Borrows `ws` and `stats`; gives `ws` the means to inflate. */
void edge_clients_init(struct edge_clients *all, struct ticker *t, struct ws_settings *ws,
                       const struct settings *s, struct io_stats *stats);

/* Upgrades `x`, whose handshake has been checked and which core has let in as `handle`; it is
 * answered with that subprotocol, {NULL, 0}: with none. `deflate`: its rule's (struct route_rule).
 */
void edge_client_open(struct edge_clients *all, struct handle handle, struct http_exchange *x,
                      struct span key, struct span protocol, int8_t deflate);
/* The same for a client of whom core has not heard yet. `settings` are borrowed until it enters. */
struct edge_client *edge_client_greet(struct edge_clients *all, struct edge_greeting *g,
                                      struct http_exchange *x, struct span key,
                                      struct span protocol, int8_t deflate,
                                      const struct ws_settings *settings);
/* Core has let a greeted client in; what it says from now on goes there. Its greeting is over. */
void edge_client_enter(struct edge_client *c, struct handle handle);
/* Closes a greeted client; nothing of it is read any more. Its greeting is over. */
void edge_client_dismiss(struct edge_client *c, uint16_t code, struct span reason);
/* A greeted client is read no more until it leaves, is dismissed or goes. */
void edge_client_hold(struct edge_client *c);
/* Its connection, which somebody else moves away at once; edge_client_bury is next. Its greeting is
 * over. NULL: it is being closed, or has gone and will be told so; nothing has changed. */
struct conn *edge_client_leave(struct edge_client *c);
void edge_client_bury(struct edge_client *c);
/* As struct node_port has them. */
void edge_client_send(struct edge_clients *all, struct handle handle, struct frame *frame);
void edge_client_close(struct edge_clients *all, struct handle handle, uint16_t code,
                       struct span reason);
void edge_client_pause(struct edge_clients *all, struct handle handle, bool pause);

/* True when no socket is left. */
bool edge_clients_are_gone(const struct edge_clients *all);
/* Drops all, core is not told; they are gone when the loop has turned. */
void edge_clients_abort(struct edge_clients *all);
/* When they are gone. */
void edge_clients_clear(struct edge_clients *all);
