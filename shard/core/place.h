#pragma once
/* Where an arriving client or request is served (docs/design.md section 5.1, "Any entry"): here, at
 * the node that owns its shard, or after the world was asked. io keeps the arrival, does what is
 * said, and asks again when it knows more. */
#include "common/proto/resolve.h"
#include "shard/core/node.h"

/* An arrival, kept by io from the request's head to its end. */
struct arrival {
    struct span shard_id; /* as dialled, or the substitute that a world named; decoded */
    struct span session;  /* decoded and trimmed; may be empty; always empty for HTTP */
    bool is_socket;       /* a WebSocket upgrade; else an HTTP request */
    bool hopped;          /* another process of the cluster sent it here: never sent on */
    int64_t since_ms;
    unsigned asked;          /* how often the world has been asked */
    struct span unreachable; /* node that could not be reached; empty: none */
};

enum place_kind {
    PLACE_HERE,  /* node_client_open or node_http with the arrival's shard_id */
    PLACE_THERE, /* tunnel or forward to `url` */
    PLACE_ASK,   /* POST `ask` to …/resolve of `world`, then node_resolved, then place again */
    PLACE_ELSEWHERE, /* hopped, and not ours: 421 with the owner that we know in `url` (or empty) */
    PLACE_REFUSED,   /* see `why` */
};

struct place {
    enum place_kind kind;
    struct span world;          /* ASK: its id */
    struct span node, url;      /* THERE, ELSEWHERE: owner and its internalUrl */
    enum resolve_reason reason; /* ASK */
    enum node_reason why;       /* REFUSED: counted already */
};

enum {
    PLACE_ASK_MS = 1000,  /* a world that has not answered by then is not there */
    PLACE_HOLD_MS = 3000, /* an arrival is held at most so long */
    PLACE_ASKS = 3,       /* a world is asked at most so often for one arrival */
};

/* Spans in *out live until the next call into the node. */
void node_place(struct node *n, const struct arrival *a, int64_t now, struct place *out);

/* What a world answered to PLACE_ASK. status 0: nothing in time. On a 200, *shard_id is the shard
 * that lets the client in (it lives until the next call into the node). */
enum resolved_kind {
    RESOLVED_OK,      /* place it again, with *shard_id */
    RESOLVED_ADOPT,   /* nobody created it: serve it here, as adopted (node_place will say so) */
    RESOLVED_UNKNOWN, /* 404 */
    RESOLVED_FULL,    /* 503 */
    RESOLVED_NOBODY,  /* no world answers: serve here what is not known to be elsewhere */
};
enum resolved_kind node_resolved(struct node *n, const struct arrival *a, int status,
                                 struct span body, int64_t now, struct span *shard_id);

/* The owner that was named could not be reached, or said 421: it is forgotten. */
void node_misplaced(struct node *n, struct span shard_id);
