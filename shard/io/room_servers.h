#pragma once
/* The room servers that this node talks to: its own (ROOM_SERVERS), and those that worlds name for
 * single shards, which are remembered for the life of the process. */
#include "common/base/map.h"
#include "common/net/upstreams.h"

struct room_servers {
    struct loop *loop;
    struct upstreams own;
    struct map named; /* struct named_server, by origin as named */
    struct buf text;  /* scratch: an origin of our own */
};

/* Takes `origins`, those of ROOM_SERVERS (becomes empty). */
void room_servers_init(struct room_servers *s, struct loop *l, struct origins *origins);
void room_servers_clear(struct room_servers *s);
/* The origin of our own that has the room, as worlds write it, good until the next call; empty: we
 * have none. */
struct span room_servers_own(struct room_servers *s, struct span room);
/* The one that a world has named, an http origin; when `server` is empty, the one of our own that
 * has the room. NULL: we have none of our own, or `server` is no origin. */
const struct upstream *room_servers_find(struct room_servers *s, struct span server,
                                         struct span room);
