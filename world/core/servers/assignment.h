#pragma once
/* Which room server a room is on, and its moves to another one (docs/design.md section 4, "Room
 * servers"). A room moves in two steps, so that it never runs at two servers: nodes close their
 * links and say so, then they are told the new server. */
#include "world/core/servers/servers.h"

enum {
    ASSIGNMENT_SILENT_MS = 5000, /* nodes that were not heard yet are waited for so long */
    ASSIGNMENT_LATE_MS = 10000,  /* nodes that do not follow so long; */
    ASSIGNMENT_BEATS = 10,       /* but at least so many beats */
    ASSIGNMENT_BATCH = 1000,     /* rooms looked at in one go */
};

struct room;

/* The moves are in assignment.c's table. */
enum assignment_state {
    ASSIGNMENT_NONE, /* nodes choose, of their own list */
    ASSIGNMENT_SET,
    ASSIGNMENT_CLOSING, /* links to `server` are being closed; then it is `next` */
    ASSIGNMENT_STATE_COUNT,
};

struct assignment {
    enum assignment_state state;
    struct world_server *server; /* NULL: none */
    struct world_server *next;   /* while CLOSING; NULL: none */
    int64_t closing_ms;          /* monotonic; since when */
    struct list in_server;       /* in the server's settled; NONE: in the world's unassigned */
    struct list in_closing;
};

/* Of no server yet. */
void assignment_init(struct room *room);
/* Of a new room: by the hash of its name, if the world knows a server. Nothing is stored or told.
 */
void assignment_begin(struct registry *r, struct room *room);
/* As the store has it, in the middle of a move if `closing`; empty spans: none. ERR_SYNTAX: not an
 * origin. */
MUST_CHECK enum err assignment_restore(struct registry *r, struct room *room, struct span server,
                                       struct span next, bool closing, struct moment now);
/* The room goes. */
void assignment_end(struct room *room);

/* What orders say. */
struct span assignment_origin(const struct room *room);
static inline bool assignment_holds(const struct assignment *a)
{
    return a->state == ASSIGNMENT_CLOSING;
}

/* An operator moves the room. ERR_DENIED: `to` takes no rooms, or is not up; ERR_EXISTS: the room
 * is there, or on its way there. */
MUST_CHECK enum err room_move(struct registry *r, struct room *room, struct world_server *to,
                              struct moment now);
/* A node has said something of the room's links: ends the first step if that was awaited. */
void assignment_look(struct registry *r, struct room *room, struct moment now);
/* Begins and ends what is due; to be called every SERVERS_TICK_MS while there are servers. */
void assignments_tick(struct registry *r, struct moment now);
