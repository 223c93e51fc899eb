#pragma once
/* A checkup under way: asked of a world's nodes in their orders until each has told that it is done
 * (docs/protocol.md, "Findings"). Nothing of it is stored: with another owner it is over. */
#include "common/base/buf.h"
#include "common/proto/checkup.h"
#include "world/core/moment.h"

enum {
    ROUND_SILENT_MS = 10 * 1000,   /* a node that is silent for so long is not waited for */
    ROUND_MOST_MS = 5 * 60 * 1000, /* nor is any for longer than that */
};

struct world;
struct node;

/* Embedded in its world. The all-zero round: there was none. */
struct round {
    int64_t id; /* of the last; Unix ms of its begin, or more: it rises from owner to owner */
    bool is_under_way;
    int64_t began_ms;   /* monotonic */
    int64_t started_ms; /* the same in wall time */
    struct buf text;    /* as orders have it */
};

/* Begins one; while one is under way that one goes on. Nodes and servers are those of now. */
void round_begin(struct world *w, struct moment now);
/* What the node's orders say of it. */
struct checkup round_orders(const struct node *n);
/* Whether it goes on until the node has told, or is silent. */
bool round_waits_for(const struct node *n, struct moment now);
/* Ends it when nobody is waited for. To be called now and then. */
void round_look(struct world *w, struct moment now);
void round_clear(struct round *r);
