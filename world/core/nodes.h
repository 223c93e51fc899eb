#pragma once
/* The nodes of a world: what they said last, whether they live, which shards they own, and what
 * they are to do (docs/design.md sections 4 and 5.1). All truth about a node comes from its
 * heartbeats; all orders are desired state. */
#include "common/proto/beat.h"
#include "common/proto/orders.h"
#include "common/proto/resolve.h"
#include "world/core/refusal.h"
#include "world/core/registry.h"

enum {
    NODES_BEAT_MS = 1000,    /* how often nodes are asked to be heard */
    NODES_SUSPECT_MS = 3000, /* silence, from which on a node gets nobody */
    NODES_DEAD_MS = 10000,   /* silence, from which on its shards go to others */
    NODES_SETTLE_MS = 1500,  /* after its start a world waits so long for the nodes it knows */
    NODES_TICK_MS = 250,     /* how often silence is looked at */
    NODES_GAP_MS = 1000,     /* our own standstill, from which on silence does not count */
    NODES_MASS_MS = 5000,    /* more than half falling silent within so long: nothing moves */
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
    int64_t epoch, seq; /* of the last beat that counted */
    int64_t heard_ms;   /* monotonic */
    int64_t alive_since_ms;
    int64_t lag_ms;
    uint64_t max_connections, connections;
    bool draining;            /* it says so itself */
    bool drain_ordered;       /* an operator says so; stored */
    struct order_drain drain; /* how; as ordered */
    int64_t drain_due_ms;     /* monotonic; when the ordered deadline is */
    struct list owned;        /* struct shard.in_owner, by order version, the oldest first */
    size_t owned_count;
    uint64_t capacity;         /* sum of the capacities of the owned */
    struct list holdings;      /* struct holding.in_node */
    uint64_t adopted;          /* shards that it holds and the world does not know */
    int64_t version_of_orders; /* the highest given out */
    struct list drops;         /* struct drop: what it does not own any more and may not know */
    struct list in_world;      /* in order of appearance */
};

/* What a node holds of a shard, owner or not. */
struct holding {
    struct node *node;
    struct shard *shard;
    struct list in_node, in_shard;
    uint64_t open, returning, admitted, readmitted, sessions;
    enum beat_link link;
    struct span server; /* owned; what the link is about; may be empty */
    uint64_t lost;      /* of `open`, turned into seats that the world keeps */
};

/* Usable: alive, not draining, below its own cap. Placement and orders count on it. */
bool node_is_usable(const struct node *n);
struct node *world_node(const struct world *w, struct span id);

enum beat_verdict { BEAT_TAKEN, BEAT_CONFLICT };
/* A beat has come (read by beat_read, `doc` is its document). BEAT_CONFLICT: (epoch, seq) is not
 * newer than what counts, *conflict says more, and nothing has changed. */
enum beat_verdict nodes_beat(struct registry *r, struct world *w, const struct beat *b,
                             const json_t *doc, struct moment now,
                             struct orders_conflict *conflict);
/* Appends the answer: everything that changed since `have`, or all of it. */
void nodes_add_orders(struct registry *r, struct node *n, const struct beat *b, struct moment now,
                      struct buf *out);

/* Where a client of that shard goes. *shard is the one that lets it in (with an owner); it has a
 * seat reserved when it is another one than the client asked for. REFUSAL_NONE, or why not
 * (REFUSAL_SHARD_MISSING: nobody created it). May move shards and place them on nodes. */
enum refusal nodes_resolve(struct registry *r, struct world *w, const struct resolve *q,
                           struct moment now, struct shard **shard);

/* The node for a new shard, NULL when none is usable (the shard stays without). */
struct node *nodes_pick(struct world *w, struct moment now);
/* Makes `n` (NULL: nobody) the owner; the old one is told to drop it and keeps its clients as
 * guests. */
void shard_set_owner(struct registry *r, struct shard *s, struct node *n, struct moment now);
/* Something that orders say about the shard has changed: its owner is told. */
void shard_order_changed(struct registry *r, struct shard *s);

/* Moves the shards of a node away, as far as others can take them; answers how many stay. */
size_t nodes_evacuate(struct registry *r, struct node *n, struct moment now);
/* Looks at silence; to be called every NODES_TICK_MS while there are nodes. */
void nodes_tick(struct registry *r, struct moment now);
/* True while a node that is known from the store may still be heard of: /connect waits. */
bool world_is_settling(const struct world *w, struct moment now);
