#pragma once
/* What is counted about nodes. */
#include <stdint.h>

/* Why a shard got another node. */
enum node_move {
    MOVE_DEAD,        /* its node is dead */
    MOVE_DRAIN,       /* its node drains or ends */
    MOVE_ASKED,       /* a client came while its node was silent */
    MOVE_UNREACHABLE, /* a node or world could not reach its node */
    MOVE_RETURN,      /* its node is back with more clients */
    MOVE_PLACED,      /* it had no node */
    MOVE_ORDERED,     /* an operator says so */
    MOVE_COUNT,
};
extern const char *const node_move_names[MOVE_COUNT + 1];

/* What a resolve came to. A shard that was moved counts besides as the owner's or as another. */
enum resolve_outcome {
    RESOLVED_OWNER,   /* the shard itself, on its node */
    RESOLVED_MOVED,   /* a shard was moved for it */
    RESOLVED_OTHER,   /* another shard of the room */
    RESOLVED_MISSING, /* nobody knows that id, or nobody can any more */
    RESOLVED_FULL,    /* no seat or no node */
    RESOLVED_COUNT,
};
extern const char *const resolve_outcome_names[RESOLVED_COUNT + 1];

struct node_stats {
    uint64_t beats, conflicts;
    uint64_t moves[MOVE_COUNT];
    uint64_t resolves[RESOLVED_COUNT];
};
