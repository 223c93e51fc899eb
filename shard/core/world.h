#pragma once
/* What a node knows of one world, and what it tells it: beats, in order, one under way at a time;
 * the orders that came back; and, with a world that knows no beats, the reference's reports
 * (docs/design.md section 5.1, docs/reference.md section 4, "Reports"). */
#include "common/base/buf.h"
#include "common/base/wheel.h"
#include "common/proto/beat.h"
#include "common/proto/orders.h"
#include "shard/core/node.h"

enum {
    WORLD_COALESCE_MS = 50,        /* changes that are told in one beat */
    WORLD_FORGET_MS = 60 * 1000,   /* without shards and clients */
    WORLD_REFERENCE_MS = 30 * 1000 /* how often a world without beats is tried again */
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
    struct span id;  /* owned */
    bool configured; /* WORLD_IDS: never forgotten */
    enum world_mode mode;
    int64_t epoch;          /* the highest seen */
    int64_t orders_version; /* of `epoch`; 0: none yet */
    int64_t interval_ms;
    int64_t seq;
    bool full; /* the next beat is */
    bool under_way;
    bool wanted; /* another one as soon as this one is answered */
    struct timer timer;
    struct list shards;  /* struct shard.in_world */
    struct list changed; /* struct shard.in_changed: told in the next beat */
    int64_t empty_since_ms;
    uint64_t others; /* other nodes that could take our shards, as the world says */
};

/* The world of that id, made if need be; NULL: too many. */
struct world *world_reach(struct node *n, struct span id, int64_t now);
/* A count of the shard has changed. */
void world_shard_changed(struct shard *shard, int64_t now);
/* The answer to a beat; status 0: none came. */
void world_answered(struct world *w, int status, struct span body, int64_t now);
/* Follows what a world wants of one shard: starts it if need be. */
void world_follow(struct world *w, const struct order *o, const json_t *bans, int64_t now);
/* The node has nothing more to say but that it ends. */
void world_say_gone(struct world *w, int64_t now);
