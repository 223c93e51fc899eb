#pragma once
/* Room servers as worlds know them (docs/design.md section 4, "Room servers"): which there are, and
 * how they are. A server is one process, whatever number of worlds name it: its state is common to
 * all of them. Which rooms are there is assignment.h's. */
#include "common/base/list.h"
#include "common/base/map.h"
#include "common/base/slots.h"
#include "common/base/span.h"
#include "common/proto/orders.h"
#include "world/core/moment.h"

enum {
    SERVERS_TICK_MS = 250,
    SERVERS_PROBE_MS = 2000, /* between two probes of a server, give or take a tenth */
    SERVERS_DEAD_MS = 3000,  /* so long, and twice, a probe has to fail */
    SERVERS_MAX = 1000,      /* of a world */
};

/* The moves are in health.c's table. */
enum server_state {
    SERVER_UNKNOWN,
    SERVER_UP,   /* a good probe, or a link that came up, was the last sign */
    SERVER_DOWN, /* the probe fails */
    SERVER_DEAD, /* for long, and no live node says that a link to it stands */
    SERVER_STATE_COUNT,
};
extern const char *const server_state_names[SERVER_STATE_COUNT + 1];

/* Why a room goes to another server. */
enum server_move {
    SERVER_MOVE_DEAD,
    SERVER_MOVE_LEAVING, /* its server is drained, or in no list any more */
    SERVER_MOVE_ASKED,   /* by an operator */
    SERVER_MOVE_COUNT,
};
extern const char *const server_move_names[SERVER_MOVE_COUNT + 1];

struct registry;
struct world;
struct holding;

struct room_server {
    struct span origin; /* owned; http://host:port, as orders have it */
    enum server_state state;
    bool configured; /* of ROOM_SERVERS: every world has it */
    struct handle self;
    bool probed;      /* an answer is awaited */
    int64_t probe_ms; /* when the next is due */
    int64_t failing_ms;
    uint32_t failures; /* of the probe, since failing_ms */
    int64_t dead_ms;
    struct list standing; /* struct holding.in_server: links that nodes said to stand */
    struct list uses;     /* struct world_server.in_uses */
    struct list node;
};

/* A server in a world's list. */
struct world_server {
    struct room_server *server;
    struct world *world;
    uint64_t serial;     /* grows with each entry of the registry */
    bool registered;     /* by an operator; stored */
    bool draining;       /* as an operator says; stored */
    size_t rooms;        /* assigned to it, */
    size_t awaited;      /* on their way to it */
    struct list settled; /* struct room.assignment.in_server: those that are not about to go */
    struct list in_world;
    struct list in_uses;
    struct list in_leaving;
};

/* All that the process knows. */
struct servers {
    struct map by_origin;
    struct list list;
    struct slots handles;
    size_t count;
    size_t states[SERVER_STATE_COUNT];
    struct list leaving; /* struct world_server: takes no rooms, and the ones it has go */
    struct list closing; /* struct room.assignment.in_closing, the longest first */
    int64_t failover_ms; /* how long a room stays at a dead server; 0: not at all */
    uint64_t moves[SERVER_MOVE_COUNT];
    uint64_t probes, failed_probes;
};

void servers_init(struct servers *all);
/* Those of ROOM_SERVERS, a list as origins.h reads it, checked. Before the first world is made. */
void servers_configure(struct registry *r, struct span list);
void servers_clear(struct servers *all);

/* A new world gets the configured ones. */
void servers_enter(struct registry *r, struct world *w);
/* The world goes; it has no rooms any more. */
void servers_leave(struct registry *r, struct world *w);

/* The world's entry for an origin in any spelling; NULL: none. */
struct world_server *servers_find(const struct world *w, struct span origin);
/* Whether an origin in any spelling is in the world's list, and how many are: of ROOM_SERVERS, or
 * added by operators. `w` NULL: a new world's. */
bool servers_lists(const struct registry *r, const struct world *w, struct span origin);
size_t servers_listed(const struct registry *r, const struct world *w);
/* In the list, and not draining. */
bool server_takes_rooms(const struct world_server *at);

/* An operator adds one to a world; *out is its entry. It is stored. ERR_SYNTAX: no http origin;
 * ERR_EXISTS: it is in the list already; ERR_FULL: SERVERS_MAX are. */
MUST_CHECK enum err servers_add(struct registry *r, struct world *w, struct span origin,
                                struct moment now, struct world_server **out);
/* Takes it out of the list again: its rooms go to others, and it is forgotten with the last. One
 * that is configured stays, and is not drained any more. */
void servers_remove(struct registry *r, struct world_server *at);
/* It takes no new rooms, and those it has go to others; or it does again. */
void servers_drain(struct registry *r, struct world_server *at, bool on);
/* What the store has of one. ERR_SYNTAX, ERR_EXISTS. */
MUST_CHECK enum err servers_restore(struct registry *r, struct world *w, struct span origin,
                                    bool registered, bool draining, struct moment now);
/* Has those of the world stored, whatever is stored of them. */
void servers_keep(struct registry *r, const struct world *w);
/* The entry for an origin that a stored room names; made, in no list, if need be. NULL: it is none.
 */
struct world_server *servers_expect(struct registry *r, struct world *w, struct span origin,
                                    struct moment now);

/* The answer to a probe; a stale handle is ignored. */
void servers_probed(struct registry *r, struct handle server, bool good, struct moment now);
/* What a beat says of a link has changed. */
void servers_hear(struct registry *r, struct holding *h, struct moment now);
/* Probes, and judges who is dead; to be called every SERVERS_TICK_MS while there are servers. */
void servers_tick(struct registry *r, struct moment now);
/* Forgets those that are in no list and have no rooms. */
void servers_tidy(struct registry *r);
