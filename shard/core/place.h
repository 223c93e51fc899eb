#pragma once
/* Where an arriving client or request is served (docs/design.md section 5.1, "Any entry"): here, at
 * the node that owns its shard, or after the world was asked. io keeps the arrival, does what is
 * said, and asks again when it knows more. */
#include "common/proto/resolve.h"
#include "shard/core/node.h"

/* What a world answered last about an arrival. */
enum told {
    TOLD_NOTHING,
    TOLD_OWNER,         /* it named one: of the shard, or of another one that lets the client in */
    TOLD_ADOPT,         /* nobody created the shard: it may be served as an adopted one, */
    TOLD_ADOPT_PRIVATE, /* of a room that is not public */
    TOLD_UNKNOWN,       /* it may not be served */
    TOLD_FULL,          /* no seat in the whole room */
    TOLD_NOBODY,        /* no world answers, or none that knows the question */
};

/* An arrival, kept by io from the request's head to its end. */
struct arrival {
    struct span shard_id; /* as dialled, or the substitute that a world named; decoded */
    struct span session;  /* decoded and trimmed; may be empty; always empty for HTTP */
    bool is_socket;       /* a WebSocket upgrade; else an HTTP request */
    bool hopped;          /* another process of the cluster sent it here: never sent on */
    bool greets;          /* it is yet to say who it is: nothing is started for it */
    int64_t since_ms;
    unsigned asked; /* how often the world has been asked */
    enum told told;
    /* The node that was tried and does not serve it, empty: none; and what a world is to be told
     * about that: RESOLVE_UNREACHABLE, or why it takes nobody. */
    struct span tried;
    enum resolve_reason tried_why;
};

enum place_kind {
    PLACE_HERE,  /* node_client_open or node_http with the arrival's shard_id */
    PLACE_THERE, /* tunnel or forward to `url` */
    PLACE_ASK,   /* POST `ask` to …/resolve of `world`, then node_resolved, then place again */
    PLACE_WAIT,  /* place it again in PLACE_LOOK_MS: its world's first answer is on its way */
    PLACE_ELSEWHERE, /* hopped, and not for us: 421, with `url` if it is not empty, and `reason` */
    PLACE_REFUSED,   /* see `why` */
};

struct place {
    enum place_kind kind;
    struct span world;          /* ASK: its id */
    struct span node, url;      /* THERE, ELSEWHERE: owner and its internalUrl */
    enum resolve_reason reason; /* ASK, ELSEWHERE */
    enum node_reason why;       /* REFUSED: counted already */
};

enum {
    PLACE_ASK_MS = 1000, /* a world that has not answered by then is not there */
    PLACE_LOOK_MS = 10,
    PLACE_HOLD_MS = 3000, /* an arrival is held at most so long */
    PLACE_ASKS = 3,       /* a world is asked at most so often for one arrival */
};

/* Spans in *out live until the next call into the node. */
void node_place(struct node *n, const struct arrival *a, int64_t now, struct place *out);

/* What a world answered to PLACE_ASK; status 0: nothing in time. Follows what it orders us. The
 * answer is for a->told (TOLD_NOTHING: it was of a lower epoch than one seen, and is not believed)
 * and counts one in a->asked. TOLD_OWNER: *shard_id is the shard that
 * lets the client in, for a->shard_id (it lives until the next call into the node). */
enum told node_resolved(struct node *n, const struct arrival *a, int status, struct span body,
                        int64_t now, struct span *shard_id);

/* Whether the session (decoded and trimmed) has a socket or a kept seat at the shard, here. */
bool node_knows(const struct node *n, struct span shard_id, struct span session);

/* What is known of a shard, here or not. Texts live until the next call into the node. */
struct place_facts {
    struct span world, room; /* as orders say, else as the id does */
    bool is_public;          /* its world has said so */
    int64_t epoch;           /* the highest seen of the world; 0: none */
};
void node_facts(const struct node *n, struct span shard_id, struct place_facts *out);

/* The owner that was named does not serve the shard: it is forgotten. */
void node_misplaced(struct node *n, struct span shard_id);
