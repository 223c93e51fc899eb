#pragma once
/* The nodes of a world: what they said last, whether they live, which shards they own, and what
 * they are to do (docs/design.md sections 4 and 5.1). All truth about a node comes from its
 * heartbeats; all orders are desired state. */
#include "common/proto/beat_doc.h"
#include "common/proto/orders.h"
#include "common/proto/resolve.h"
#include "world/core/nodes/crowd.h"
#include "world/core/refusal.h"
#include "world/core/rooms/registry.h"

enum {
    NODES_BEAT_MS = 1000,       /* how often nodes are asked to be heard, unless it is set */
    NODES_SETTLE_MIN_MS = 1500, /* that a new owner waits for nodes, if they are not all heard */
    /* In beats, as registry.beat_ms has them: */
    NODES_SUSPECT = 3,      /* silence, from which on a node gets nobody */
    NODES_DEAD = 10,        /* silence, from which on its shards go to others */
    NODES_MASS = 5,         /* more than half falling silent within so many: nothing moves */
    NODES_TICKS = 4,        /* so often in one it is looked at silence, */
    NODES_TICK_MS = 250,    /* but not less often than that */
    NODES_YOUNG_MS = 30000, /* so long a new node gets less than its share */
    NODES_TOUCH_MS = 60000, /* how often an unchanged shard counts as heard of */
    NODES_FORGET_MS = 5 * 60 * 1000, /* a dead node that owns nothing is forgotten */
    NODES_DROPS_MAX = 10000,         /* drops remembered; beyond, the node gets full orders */
};

/* The moves are in nodes.c's table. */
enum node_state {
    NODE_EXPECTED, /* from the store, not heard since */
    NODE_ALIVE,
    NODE_SUSPECT,
    NODE_DEAD,
    NODE_STATE_COUNT,
};
extern const char *const node_state_names[NODE_STATE_COUNT + 1];

struct node {
    struct span id; /* owned; so are the next three */
    struct span url, internal_url, version;
    struct world *world;
    enum node_state state;
    uint64_t serial;      /* grows with each node of the registry */
    int64_t epoch, seq;   /* of the last beat that counted */
    int64_t have_version; /* of the orders that it follows; 0: none of this epoch of ours */
    int64_t heard_ms;     /* monotonic */
    int64_t alive_since_ms;
    int64_t lag_ms;
    uint64_t max_connections, connections; /* the first 0: it has told no cap */
    bool is_expected;                      /* the world waits for it */
    bool heard_full;                       /* a full beat of this epoch has come */
    bool usable;                           /* node_is_usable: its shards can be selected */
    bool held;                /* dead among many: its shards move only when clients ask for them */
    bool draining;            /* it says so itself */
    bool drain_ordered;       /* an operator says so; stored */
    int64_t undrained;        /* the version of the orders that took a drain back */
    struct order_drain drain; /* how; as ordered */
    int64_t drain_due_ms;     /* monotonic; when the ordered deadline is; 0: there is none */
    int64_t drain_until_ms;   /* the same in wall time */
    struct list owned;        /* struct shard.in_owner, by order version, the oldest first */
    size_t owned_count;
    uint64_t capacity;          /* sum of the capacities of the owned, each cut to SHARE_MAX */
    uint64_t reserved;          /* sum of the promised seats of the owned */
    struct list holdings;       /* struct holding.in_node */
    uint64_t adopted;           /* shards that it held at its last full beat, and nobody knows */
    uint64_t beats;             /* that counted */
    struct findings findings;   /* that it told last, */
    bool tells_findings;        /* if it does at all */
    int64_t checkup;            /* the last that it has done */
    struct order_log log;       /* how much it is to log, */
    int64_t log_until_ms;       /* monotonic; 0: without end */
    bool clock_is_off;          /* that is told as a finding: */
    int64_t clock_told_ms;      /* by so much */
    int64_t clock_off_since_ms; /* monotonic; 0: its clock is right, for all we know */
    int64_t twin_ms;            /* monotonic; when another process had its id; 0: never */
    bool has_lost;              /* some of its holdings are lost */
    bool was_missed;            /* and some of their sessions were named as missing: */
    bool is_to_renew;           /* its orders say so, until the next full beat */
    int64_t touched_ms;         /* when all of its shards last counted as heard of */
    int64_t version_of_orders;  /* of the last change to them */
    int64_t full_below;         /* whoever follows an older version gets all of them */
    struct list drops;          /* struct drop: what it does not own any more and may not know */
    size_t drop_count;
    struct list in_world; /* in order of appearance */
};

/* What a node holds of a shard, owner or not. */
struct holding {
    struct node *node;
    struct shard *shard;
    struct list in_node, in_shard;
    uint64_t open, returning, admitted, readmitted, sessions;
    enum beat_link link;
    struct span server;            /* owned; what the link is about; may be empty */
    struct room_server *stands_at; /* of a link that is up, if the world knows it, */
    struct list in_server;         /* and its standing */
    int64_t order_version; /* of the node's orders, when they last changed for it as a guest */
    bool is_lost;          /* with its node, for all we know: `open` does not count, */
    uint64_t lost;         /* but so many seats are kept for its clients */
    bool taken;            /* the node lost the shard by its silence */
    struct crowd *crowd;   /* who that is; NULL: nobody that a beat names */
    uint64_t seen;         /* number of the node's last beat that named it */
};

/* After its start a world waits so long for the nodes it knows: one and a half beats, and no less
 * than a node takes to give up a world that does not answer, and to beat to the next. */
static inline int64_t nodes_settle_ms(const struct registry *r)
{
    int64_t ms = r->beat_ms * 3 / 2;

    return ms < NODES_SETTLE_MIN_MS ? NODES_SETTLE_MIN_MS : ms;
}
static inline int64_t nodes_tick_ms(const struct registry *r)
{
    return r->beat_ms / NODES_TICKS < NODES_TICK_MS ? r->beat_ms / NODES_TICKS : NODES_TICK_MS;
}

/* A node's epoch, its clock at its start, may be so far ahead of our clock. Later processes come
 * with higher ones: one that no clock reaches would lock them out for ever. */
enum { NODES_EPOCH_AHEAD_MS = 24 * 3600 * 1000 };

enum { NODES_SHARE_MAX = 1 << 24 }; /* a shard weighs no more in a node's capacity */

/* Usable: alive, not draining, below its own cap. Placement and orders count on it. */
bool node_is_usable(const struct node *n);
struct node *world_node(const struct world *w, struct span id);

enum beat_verdict { BEAT_TAKEN, BEAT_CONFLICT };
/* A beat has come (read by beat_read, `doc` is its document). BEAT_CONFLICT: (epoch, seq) is not
 * newer than what counts, *conflict says more, and nothing has changed. */
enum beat_verdict nodes_beat(struct registry *r, struct world *w, const struct beat *b,
                             struct beat_doc *doc, struct moment now,
                             struct orders_conflict *conflict);
/* Appends the answer: everything that changed since `have`, or all of it. */
void nodes_add_orders(struct registry *r, struct node *n, const struct beat *b, struct moment now,
                      struct buf *out);

/* What orders say of one shard. */
struct order shard_order(const struct shard *s, struct moment now);

/* Where a client of a shard goes. */
struct resolution {
    struct shard *shard; /* lets it in, has an owner, and a seat promised if it is not the shard
                            that the client asked for; NULL: refused */
    struct room *grow;   /* refused, but the room may have one more shard; NULL: it may not */
};
/* REFUSAL_NONE, or why not (REFUSAL_SHARD_MISSING: nobody created it; REFUSAL_SHARD_RETIRED: it is
 * gone for good). May move shards and place them on nodes. */
enum refusal nodes_resolve(struct registry *r, struct world *w, const struct resolve *q,
                           struct moment now, struct resolution *out);
/* Lets the client into a new shard of a room that may grow. REFUSAL_NO_NODE: nobody can have it. */
enum refusal nodes_resolve_anew(struct registry *r, struct room *room, const struct resolve *q,
                                struct moment now, struct shard **shard);

/* The node for a new shard, NULL when none is usable (the shard stays without). */
struct node *nodes_pick(struct world *w, struct moment now);
/* The same for one that is not on `than` (may be NULL). */
struct node *nodes_pick_other(struct world *w, const struct node *than, struct moment now);
/* Makes `n` (NULL: nobody) the owner; the old one is told to drop it and keeps its clients as
 * guests. */
void shard_set_owner(struct registry *r, struct shard *s, struct node *n, struct moment now);
/* Something that orders say about the shard has changed: its owner is told. */
void shard_order_changed(struct registry *r, struct shard *s);
/* Something that orders say about all shards of the room has: their owners are told, and nodes that
 * have guests of them. */
void room_order_changed(struct registry *r, struct room *room);

/* Moves the shards of a node away, as far as others can take them; answers how many stay. */
size_t nodes_evacuate(struct registry *r, struct node *n, struct moment now);
/* A client asks for a seat in the room and there is none: shards that were held back on dead nodes,
 * or are of nodes that have not come back since the start, move. True: some have. */
bool nodes_release_room(struct registry *r, struct room *room, struct moment now);
/* Looks at silence; to be called every nodes_tick_ms while there are nodes. */
void nodes_tick(struct registry *r, struct moment now);
/* True while a node that is known from the store may still be heard of: /connect waits. */
bool world_is_settling(const struct world *w, struct moment now);

/* Where other processes reach it. */
static inline struct span node_address(const struct node *n)
{
    return n->internal_url.len > 0 ? n->internal_url : n->url;
}

/* A node that the store knows, or that a stored shard names; made if need be. Nothing is stored. */
struct node *nodes_expect(struct registry *r, struct world *w, struct span id, struct moment now);
/* What the store knows of it. */
struct node_record;
void node_restore(struct node *n, const struct node_record *as, struct moment now);
/* True when it is to drain, or drains by itself: what it says of a drain that was taken back before
 * it knew does not count. Shards count on its word all the same (node_is_usable). */
bool node_drains(const struct node *n);
/* How it is to be drained from now on. */
struct order_drain node_drain_left(const struct node *n, struct moment now);
/* An operator has it drained, or not any more. */
void node_drain(struct registry *r, struct node *n, bool on, const struct order_drain *how,
                struct moment now);

/* Below: between the files of nodes and the registry. */

/* A node of which nothing is known yet. */
struct node *node_add(struct registry *r, struct world *w, struct span id, struct moment now);
/* Replaces a text of its own, which it owns. True: it was another one. */
bool node_set_text(struct span *to, struct span from);
/* Nothing that it holds counts any more. */
void node_free_holdings(struct registry *r, struct node *n);
/* Judges anew whether the node is usable; its shards follow. */
void node_refresh(struct registry *r, struct node *n);
/* The only place that moves the state. */
void node_go(struct registry *r, struct node *n, enum node_state to);
/* Its shards move only when clients ask for them, or again by themselves. */
void node_hold(struct node *n, bool held);
/* Frees it; it owns nothing. */
void node_discard(struct registry *r, struct node *n);
/* The same, and it is stored no more. */
void node_forget(struct registry *r, struct node *n);
/* Its clients count as kept seats from now on. */
void node_lose_clients(struct registry *r, struct node *n, struct moment now);
/* Stores its record. */
void node_keep(struct registry *r, const struct node *n);

/* What n holds of s; NULL: nothing. */
struct holding *holding_of(const struct node *n, const struct shard *s);
/* Takes in what a beat says. The shard may be removed by it. `is_base`: nothing is known of what it
 * said before, so its all-time counts say nothing about who is new. */
void holding_report(struct registry *r, struct node *n, struct shard *s, const struct beat_shard *b,
                    struct beat_doc *doc, bool is_base, struct moment now);
/* What orders say about the link of a guest has changed: its node is told. */
void holding_order_changed(struct holding *h);
/* The node has nothing of it any more. The shard may be removed by it. */
void holding_end(struct registry *r, struct holding *h, struct moment now);
/* Its clients are expected back. The shard may be removed by it (where no seats are kept): true. */
bool holding_lose(struct registry *r, struct holding *h, struct moment now);
/* Its node is back. */
void holding_heal(struct registry *r, struct holding *h, struct moment now);
void holding_free(struct registry *r, struct holding *h);
/* Adds up what nodes hold of the shard. It may be removed by it: true. */
bool shard_recount(struct registry *r, struct shard *s, bool heard, struct moment now);
/* The count that was told or remembered of the shard becomes what is kept for its clients. It may
 * be removed by it: true. */
bool shard_lose_told(struct registry *r, struct shard *s, struct moment now);

/* The shard's promised seats or its capacity have changed. */
void shard_count_at_owner(struct registry *r, struct shard *s);
/* The shard goes: no node has to do with it any more. */
void shard_leave_nodes(struct registry *r, struct shard *s);
/* As shard_set_owner, but nothing is stored or told: the shard comes from the store. */
void shard_restore_owner(struct registry *r, struct shard *s, struct node *n);
/* Moves one shard away from its silent, draining or missing node. True: it was drained and nothing
 * is left of it, so it is removed instead. */
bool shard_move(struct registry *r, struct shard *s, struct node *to, enum node_move why,
                struct moment now);
/* A node has become usable: gives it (and others) what no usable node has. */
void nodes_place_strays(struct registry *r, struct world *w, struct moment now);
/* Forgets drops up to that version: the node knows them. */
void node_forget_drops(struct node *n, int64_t version);
/* Walks them, the oldest first: start with *at = NULL; false at the end. */
bool node_next_drop(const struct node *n, struct list **at, struct span *id);
void nodes_clear(struct registry *r, struct world *w);
/* Asserts that the node's counts are the sums over what it owns. */
void node_check_sums(const struct node *n);
