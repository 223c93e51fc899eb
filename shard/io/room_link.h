#pragma once
/* Links: one WebSocket to a room server per shard, with the warm-up that comes before it. Named by
 * core's handles; a handle is one dial and what comes of it. */
#include "common/net/ws_dial.h"
#include "common/proto/secret.h"
#include "shard/io/handles.h"
#include "shard/io/io_stats.h"
#include "shard/io/room_reach.h"
#include "shard/io/room_servers.h"
#include "shard/io/ticker.h"

struct room_links {
    struct handles table;
    struct list all;
    struct ticker *ticker;
    struct room_servers *rooms;
    const struct secrets *secrets;
    const struct ws_settings *settings;
    struct io_stats *stats;
    struct room_reach reach;
};
/* All borrowed; `settings.high_water` is node_link_high_water. */
void room_links_init(struct room_links *all, struct ticker *t, struct room_servers *rooms,
                     const struct secrets *secrets, const struct ws_settings *settings,
                     struct io_stats *stats);

/* Sends OPTIONS to the room, which makes it, then dials it. Core hears of it by node_link_up or
 * node_link_down, never before this returns. `server`: its origin; empty: as we choose. */
void room_link_dial(struct room_links *all, struct handle handle, struct span shard,
                    struct span world, struct span room, struct span server);
void room_link_send(struct room_links *all, struct handle handle, struct span text);
/* Closes one that is up, after what it has queued; core hears the rest as when it falls. */
void room_link_finish(struct room_links *all, struct handle handle, uint16_t code);
/* Gives a dial up, or closes the link; core hears no more of it. */
void room_link_close(struct room_links *all, struct handle handle, uint16_t code);
/* Bytes that wait to be sent. */
size_t room_link_queued(const struct room_links *all, struct handle handle);
void room_link_ping(struct room_links *all, struct handle handle, uint32_t number);

/* Closes all that stand, after what they have queued; core hears no more of them. */
void room_links_close(struct room_links *all, uint16_t code);
/* True when none is left. */
bool room_links_are_gone(const struct room_links *all);
/* Drops all; they are gone when the loop has turned. */
void room_links_abort(struct room_links *all);
