#pragma once
/* Worlds, their rooms, their shards. Holds what is, changes it by rules, and tells the watch what
 * changed; it decides nothing about clients (placement does) and answers nobody (api does).
 * Everything is found by name in O(1) and kept in creation order. What changes shards is declared
 * in shards.h, how a room loses them in scale.h and silence.h. */
#include "common/base/list.h"
#include "common/base/map.h"
#include "common/base/rng.h"
#include "common/proto/finding.h"
#include "common/proto/orders.h"
#include "world/core/feed/event_ring.h"
#include "world/core/feed/feed.h"
#include "world/core/feed/history.h"
#include "world/core/findings/round.h"
#include "world/core/moment.h"
#include "world/core/nodes/node_stats.h"
#include "world/core/rooms/bans.h"
#include "world/core/rooms/candidates.h"
#include "world/core/rooms/retired.h"
#include "world/core/rooms/rhythm.h"
#include "world/core/rooms/room_settings.h"
#include "world/core/rooms/seats.h"
#include "world/core/rooms/strangers.h"
#include "world/core/rooms/tally.h"
#include "world/core/servers/assignment.h"

enum {
    REGISTRY_SHARDS_PER_MS = 10000, /* ids end in {ms}-{0…9999} */
    REGISTRY_NODE_STATES = 4,       /* enum node_state */
};

/* Numbers from outside that are counted or compared go up to 2^53 - 1. */
#define REGISTRY_COUNT_MAX ((int64_t)9007199254740991)

enum shard_status {
    SHARD_ACTIVE,
    SHARD_MAINTENANCE,
    SHARD_DRAINING,
    SHARD_STATUS_COUNT,
};

/* What the watch is told to have changed, as bits. The order is the order in which the admin feed
 * announces them; it does not announce those beyond …_FIELDS. */
enum room_field {
    ROOM_NAME = 1,
    ROOM_STRATEGY = 2,
    ROOM_PUBLIC = 4,
    ROOM_MAX_PLAYERS = 8,
    ROOM_MIN_SHARDS = 16,
    ROOM_MAX_SHARDS = 32,
    ROOM_FIELDS = 63, /* all of them */
    ROOM_LEAVING = 64,
    ROOM_SERVER = 128, /* which room server it is on */
};

enum shard_field {
    SHARD_ROOM = 1,
    SHARD_WORLD = 2,
    SHARD_URL = 4,
    SHARD_OPEN = 8,
    SHARD_MAX = 16,
    SHARD_STATUS = 32,
    SHARD_HEARTBEAT = 64,
    SHARD_FIELDS = 127,
    SHARD_DRAIN = 128, /* how it is drained */
    SHARD_OWNER = 256, /* not announced */
};

/* The nodes of a world; nodes.c's. */
struct world_nodes {
    struct map by_id;
    struct list list;  /* in order of appearance */
    size_t usable;     /* those that can be given shards */
    size_t expected;   /* known from the store and waited for, */
    int64_t settle_ms; /* until then (monotonic) */
    size_t held;       /* dead ones whose shards move only when clients ask */
    bool strays;       /* shards without a usable node wait for that time, too */
    int64_t version;   /* of orders, the last that was given out */
};

/* What readers of its overview were told last; events.c's. */
struct world_overview {
    struct buf rest;   /* all but the time; overview.h */
    size_t readers;    /* who is told of changes */
    int64_t looked_ms; /* monotonic; when it was looked at last */
};

struct world {
    struct span id; /* owned */
    struct registry *registry;
    int64_t epoch; /* in all of its orders; rises with each process that decides for it */
    struct map rooms;
    struct map shards;
    struct map room_serials;                /* the same by struct room.serial, */
    struct map shard_serials;               /* and struct shard.serial */
    struct list room_list;                  /* creation order */
    struct list shard_list;                 /* creation order */
    struct list heard_list;                 /* the longest silent first */
    struct tally tally;                     /* over all shards */
    uint64_t by_status[SHARD_STATUS_COUNT]; /* shards */
    uint64_t change; /* grows with each change of what the management API lists of the world */
    struct feed feed;
    struct event_ring events;
    struct world_overview overview;
    struct history *history;           /* owned; may be NULL */
    uint64_t placements;               /* of clients, by /connect, */
    uint64_t refusals[REFUSAL_COUNT];  /* and those that got none */
    int64_t refused_ms[REFUSAL_COUNT]; /* no event tells of that refusal before */
    struct strangers_share strangers;
    struct world_nodes nodes;
    struct findings findings; /* about its nodes and servers, made here */
    struct round round;       /* the checkup of its nodes */
    struct retired retired;
    struct list servers;    /* struct world_server.in_world, in order of appearance */
    struct list unassigned; /* struct room.assignment.in_server: those of no server */
    struct list node;       /* in the registry */
    /* The last shard id: (ms, n) never repeats in a world. */
    int64_t id_ms;
    uint32_t id_first; /* n of the first id in id_ms */
    uint32_t id_count; /* ids given out in id_ms */
};

struct room {
    struct span name; /* owned */
    struct world *world;
    struct room_settings settings;
    struct candidates candidates;
    struct reservations promised; /* those of all its shards */
    struct assignment assignment;
    struct map present; /* session id → struct presence, of nodes/crowd.c */
    uint32_t by_status[SHARD_STATUS_COUNT];
    struct tally tally; /* over its shards */
    uint32_t turn;      /* of round-robin */
    uint64_t serial;    /* grows with each room of the registry */
    bool by_stranger;   /* strangers' count has it */
    struct bans bans;
    struct list node;
    struct feed_item feed;
};

struct node;

struct shard {
    struct span id;  /* owned */
    struct span url; /* owned */
    struct room *room;
    /* Seats. What counts is their sum. Changed by tally.h. */
    uint64_t open;      /* sockets, as reported */
    uint64_t reserved;  /* promised, not yet taken */
    uint64_t returning; /* kept for clients that lost their connection */
    uint64_t max;
    enum shard_status status;
    uint64_t serial;          /* grows with each shard of the registry */
    struct order_drain drain; /* while it is draining: how, as ordered */
    int64_t drain_due_ms;     /* monotonic; when the ordered deadline is, if there is one */
    int64_t drain_until_ms;   /* the same in wall time */
    int64_t heartbeat_ms;     /* wall time of the last report or of the creation */
    int64_t heard_ms;         /* the same in monotonic time */
    struct seats seats;       /* what reserved and returning are made of */
    bool by_stranger;         /* made by one who brought no credentials; not stored */
    struct node *owner;       /* NULL: none */
    struct list holdings;     /* struct holding.in_shard: what nodes hold of it */
    struct list missing;      /* struct crowd.in_shard: of lost nodes */
    struct list in_owner;     /* in the owner's owned */
    uint64_t reserved_there;  /* how much of `reserved` the owner's sum has */
    uint64_t weight_there;    /* the same of its capacity */
    uint64_t told;            /* count that a report told: */
    bool is_told;             /* it counts, until a node tells a new one */
    bool reported;            /* there was a report, not only what the store knew */
    bool quiet;               /* silent for too long to be given clients; it has no owner */
    bool passed_over;         /* not to be chosen just now */
    struct rhythm rhythm;     /* of reports */
    int64_t order_version;    /* of the owner's orders, when they last changed for this shard */
    struct candidate candidate;
    struct list node;       /* world's shard_list */
    struct list heard_node; /* world's heard_list */
    struct list count_node; /* core's: the stored count is old */
    int64_t count_ms;       /* core's: when the count is to be stored */
    struct feed_item feed;
    struct timer progress; /* core's: an event is to tell how far the drain is */
};

/* Told after each change, when everything is consistent again. */
struct registry_watch {
    void *ctx;
    void (*room_changed)(void *ctx, struct room *room, unsigned fields);
    /* Just before the room is freed. */
    void (*room_removed)(void *ctx, struct room *room);
    void (*shard_changed)(void *ctx, struct shard *shard, unsigned fields);
    /* Just before the shard is freed. */
    void (*shard_removed)(void *ctx, struct shard *shard);
    /* Its state. */
    void (*node_changed)(void *ctx, const struct node *node);
    /* The state of a world's room server. */
    void (*server_changed)(void *ctx, const struct world_server *at);
    /* What is not told by the above is to be stored, or stored no more. */
    void (*keep)(void *ctx, enum record_kind kind, const struct world *w, struct span key,
                 struct span value);
    void (*forget)(void *ctx, enum record_kind kind, const struct world *w, struct span key);
    /* Answered by servers_probed, later. */
    void (*probe)(void *ctx, struct handle server, struct span origin);
    /* A node has followed a higher epoch of the world than ours. True: we rise above it. */
    bool (*outdated)(void *ctx, const struct world *w, int64_t seen);
    /* It has nothing to remember. True: it is forgotten now. */
    bool (*idle)(void *ctx, const struct world *w);
    /* The registry's wheel is to be advanced earlier than before. */
    void (*timer_set)(void *ctx);
};

struct registry {
    struct map worlds;
    struct list world_list;
    size_t world_count, room_count, shard_count;
    struct rng *rng; /* borrowed */
    struct registry_watch watch;
    struct wheel wheel;       /* advanced by core */
    int64_t seat_ttl_ms;      /* how long a promise holds; 0: nothing is promised */
    struct span url_template; /* borrowed; for shards that are made without one */
    uint64_t last_serial;     /* of a room or shard */
    int64_t epoch;            /* of worlds that are made here */
    int64_t beat_ms;          /* how often nodes are asked to be heard */
    uint64_t max_room_shards; /* our own bound on the shards of a room */
    struct servers servers;
    size_t node_count; /* of all worlds */
    size_t node_states[REGISTRY_NODE_STATES];
    struct list lost_crowds; /* struct crowd.in_lost */
    size_t session_count;    /* struct presence of all rooms */
    int64_t nodes_ticked_ms; /* when silence was looked at last */
    bool nodes_packed;       /* shards go to the fullest node that has room, not to the freest */
    struct node_stats node_stats;
    struct histories histories;
    int64_t id_floor_ms; /* of worlds that are made here: shard ids with this time or an earlier
                            one may have been given out */
};

void registry_init(struct registry *r, const struct registry_watch *watch, struct rng *rng,
                   struct span url_template, struct moment now);
/* Frees everything; the watch is not told. */
void registry_clear(struct registry *r);

/* NULL: no such thing (a NULL world has nothing). */
struct world *registry_world(const struct registry *r, struct span id);
struct room *world_room(const struct world *w, struct span name);
struct shard *world_shard(const struct world *w, struct span id);

/* The same by their serials. */
struct room *world_room_of_serial(const struct world *w, uint64_t serial);
struct shard *world_shard_of_serial(const struct world *w, uint64_t serial);

/* The world of that (valid) id, made if need be. */
struct world *registry_make_world(struct registry *r, struct span id);
/* Forgets a world with all that is in it; the watch is not told. Nobody else may hold it. */
void registry_forget_world(struct registry *r, struct world *w);
/* Forgets worlds that have nothing to remember: beats make worlds, and clients tell nodes of any.
 * Nobody else may hold a world without rooms, nodes, servers of its own, admins or readers. */
void registry_forget_worlds(struct registry *r);
/* A new room without shards; the name must be free. */
struct room *registry_add_room(struct registry *r, struct world *w, struct span name,
                               const struct room_settings *settings);
/* The same from what was stored. The watch is not told. */
struct room *registry_restore_room(struct registry *r, struct world *w, struct span name,
                                   const struct room_settings *settings);
void registry_set_room(struct registry *r, struct room *room, const struct room_settings *settings);
/* The room has no shards any more. */
void registry_remove_room(struct registry *r, struct room *room);

/* All shards of the room, whatever their status. */
static inline uint32_t room_shards(const struct room *room)
{
    return room->candidates.live;
}
static inline uint64_t shard_used(const struct shard *s)
{
    return s->open + s->reserved + s->returning;
}
static inline struct shard *shard_of_candidate(struct candidate *c)
{
    return CONTAINER_OF(c, struct shard, candidate);
}

/* Asserts the invariants of one room and its index; of a large index only along the path of
 * `touched` (may be NULL). */
void registry_check(const struct registry *r, const struct room *room, const struct shard *touched);
/* registry_check behind every change, in builds that define TERRANE_CHECK. */
static inline void registry_changed(const struct registry *r, const struct room *room,
                                    const struct shard *touched)
{
#ifdef TERRANE_CHECK
    registry_check(r, room, touched);
#else
    (void)r;
    (void)room;
    (void)touched;
#endif
}
