#pragma once
/* Clients: the WebSockets at the edge of a node. Named by core's handles. */
#include "common/base/rate.h"
#include "common/net/http_server.h"
#include "shard/io/handles.h"
#include "shard/io/io_stats.h"
#include "shard/io/ticker.h"

struct edge_clients {
    struct handles table;
    struct list all; /* closing ones too */
    struct ticker *ticker;
    const struct ws_settings *settings;
    struct rate_limit rate; /* messages of one client; burst 0: no limit */
    struct io_stats *stats;
};
void edge_clients_init(struct edge_clients *all, struct ticker *t,
                       const struct ws_settings *settings, const struct rate_limit *rate,
                       struct io_stats *stats);

/* Upgrades `x`, whose handshake has been checked and which core has let in as `handle`; it is
 * answered with that subprotocol, {NULL, 0}: with none. */
void edge_client_open(struct edge_clients *all, struct handle handle, struct http_exchange *x,
                      struct span key, struct span protocol);
/* As struct node_port has them. */
void edge_client_send(struct edge_clients *all, struct handle handle, struct frame *frame);
void edge_client_close(struct edge_clients *all, struct handle handle, uint16_t code,
                       struct span reason);
void edge_client_pause(struct edge_clients *all, struct handle handle, bool pause);

/* True when no socket is left. */
bool edge_clients_are_gone(const struct edge_clients *all);
/* Drops all, core is not told; they are gone when the loop has turned. */
void edge_clients_abort(struct edge_clients *all);
