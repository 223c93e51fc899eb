#pragma once
/* Where a client of a shard belongs (docs/protocol.md, "Node and world"): the bodies of POST
 * …/resolve and of its answer. */
#include "common/proto/orders.h"

/* Why a world is asked. */
enum resolve_reason {
    RESOLVE_UNKNOWN,     /* the asker has no such shard */
    RESOLVE_FULL,        /* it has it, and no seat is free */
    RESOLVE_DRAINING,    /* it has it, and takes no newcomers there */
    RESOLVE_UNREACHABLE, /* the owner (`node`) refuses connections or does not answer */
    RESOLVE_REASON_COUNT,
};
extern const char *const resolve_reason_names[RESOLVE_REASON_COUNT + 1];

struct resolve {
    struct span asker; /* node id; empty: a world process, which holds no shards */
    int64_t asker_epoch;
    struct span shard_id;
    struct span session; /* may be empty */
    enum resolve_reason reason;
    struct span node; /* RESOLVE_UNREACHABLE: which one */
};
enum {
    RESOLVE_NODE_MAX = 256,      /* bytes of a node id; the others are those of orders */
    RESOLVED_VALUES_MAX = 10000, /* of the document: the bans of a room are 1 000 at most */
};

void resolve_add(struct buf *out, const struct resolve *r);
/* Spans point into *doc, which the caller frees with json_decref in every case. ERR_SYNTAX: it is
 * no such body; *why names the member at fault, a static text. */
MUST_CHECK enum err resolve_read(struct resolve *out, json_t **doc, struct span text,
                                 const char **why);

/* A 200. 404 {"error", "adopt": true}: nobody created that id; 404 without `adopt`: it may not be
 * served. 503: no seat for the client anywhere in the room. */
struct resolved {
    int64_t version;       /* of the orders of `node` that the answer agrees with; 0: not told */
    int64_t epoch;         /* of the world; below the highest seen: to be ignored */
    struct order order;    /* of the shard that lets the client in, which may be another one */
    struct span node, url; /* its owner, and its internalUrl */
};
void resolved_add(struct buf *out, const struct resolved *r, const struct order_ban *bans,
                  size_t ban_count);
/* As resolve_read; *bans is for order_next_ban. */
MUST_CHECK enum err resolved_read(struct resolved *out, json_t **doc, const json_t **bans,
                                  struct span text);
