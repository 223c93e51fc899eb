#pragma once
/* What a node knows of one world, and what it tells it: beats, in order, one under way at a time;
 * and, with a world that knows no beats, the reference's reports (docs/design.md section 5.1,
 * docs/reference.md section 4, "Reports"). What the world wants is follow.h's. */
#include "common/base/buf.h"
#include "common/base/wheel.h"
#include "common/proto/beat.h"
#include "common/proto/orders.h"
#include "shard/core/node.h"
#include "shard/core/tidings.h"

enum {
    WORLD_MAX = 1000,               /* at a time */
    WORLD_COALESCE_MS = 50,         /* changes that are told in one beat */
    WORLD_FORGET_MS = 60 * 1000,    /* without shards and clients */
    WORLD_REFERENCE_MS = 30 * 1000, /* how often a world without beats is tried again */
    /* Another process that was silent for so long is no more: so many beats, but not less. */
    WORLD_CONFLICT_BEATS = 3,
    WORLD_CONFLICT_MS = 3000,
    WORLD_INTERVAL_MIN_MS = 100, /* between beats, whatever a world wants */
    WORLD_INTERVAL_MAX_MS = 60 * 1000,
};

struct shard;

enum world_mode {
    WORLD_UNHEARD,   /* it has not answered yet */
    WORLD_BEATS,     /* ours */
    WORLD_REFERENCE, /* answered 404: update-shard */
};

struct world {
    struct node *node;
    struct handle self;
    struct list in_node;
    struct span id;  /* in `text` */
    bool configured; /* WORLD_IDS: never forgotten */
    enum world_mode mode;
    int64_t epoch;          /* the highest seen */
    int64_t orders_version; /* of `epoch`; 0: none yet */
    int64_t interval_ms;    /* as the world wants it; 0: it has not said */
    int64_t checkup;        /* the last that was done for it; 0: none */
    int64_t log_order;      /* the last that was followed; 0: none */
    bool drains_node;       /* it wants the whole node drained */
    uint64_t others;        /* other nodes that could take our shards, as the world says */

    int64_t seq;
    bool under_way;
    bool knocked;    /* it wants to be told at once, changes or not */
    bool failing;    /* the last beat was not confirmed: changes wait for the next one's time */
    bool wants_gone; /* the next beat says that the node ends */
    bool says_gone;  /* the last one did */
    bool gone;       /* and was confirmed: nothing more is said */
    int64_t last_ms; /* the last beat */
    int64_t due_ms;  /* the next one, changes or not */
    int64_t lag_ms;  /* how late the timer fired */
    int64_t look_ms; /* when to look for idle shards again */
    struct timer timer;

    struct list shards; /* struct shard.in_world */
    struct news news;
    /* Versions of the node's findings: told by the beat under way, confirmed; 0: none */
    uint64_t findings_told, findings_known;
    int64_t empty_since_ms;
    char text[];
};

/* The world of that id, made if need be; NULL: WORLD_MAX are there. */
struct world *world_reach(struct node *n, struct span id, int64_t now);
/* Those of WORLD_IDS, which are there from the start and for ever. */
void world_configure(struct node *n, int64_t now);
/* Takes a shard in that has just started, or lets one go that is about to end. */
void world_add_shard(struct world *w, struct shard *shard, int64_t now);
void world_remove_shard(struct world *w, struct shard *shard, int64_t now);
/* The count of the shard's sockets has changed. */
void world_shard_changed(struct shard *shard);
/* Something else has that beats tell: its link, its kept seats. */
void world_note(struct shard *shard);
/* Something has that beats tell of the node itself. */
void world_note_node(struct node *n);
/* The answer to a beat; status 0: none came, and `body` says why. */
void world_answered(struct world *w, int status, struct span body, int64_t now);
/* Follows what a world wants of one shard: starts it if need be. Ill-formed or too much: nothing
 * happens, it is logged. (See follow.h.) */
void world_follow(struct world *w, const struct order *o, const json_t *bans, int64_t now);
/* It wants a beat at once: who decides for it is new and knows no node yet. */
void world_knock(struct world *w);
/* The node has nothing more to say but that it ends. */
void world_say_gone(struct world *w);
/* Frees it without telling anybody. */
void world_free(struct world *w);
/* Asserts what must always hold. */
void world_check(const struct world *w);
