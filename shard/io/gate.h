#pragma once
/* What a client has to show before anything is opened for it (docs/protocol.md, "Who may come in"):
 * a JSON Web Token or a ticket, as the rule of its path says. Looked at wherever the client
 * arrives, and again by the node that serves it, which alone spends tickets. */
#include "common/proto/token.h"
#include "shard/io/route.h"
#include "shard/io/sender.h"

enum gate_verdict {
    GATE_OPEN,      /* come in */
    GATE_GREET,     /* come in, and say who you are in the first frame (greeter.h) */
    GATE_NO_TOKEN,  /* 401 */
    GATE_BAD_TOKEN, /* 401: malformed, not ours, expired, several at once */
    GATE_NOT_HERE,  /* 403: good, but for another world, shard, room or session */
    GATE_SPENT,     /* 403: a ticket that somebody has used */
    GATE_BUSY,      /* 503: no more tickets can be remembered for now */
};

/* What was shown and is good; empty texts: nothing. Reused from one client to the next. */
struct shown {
    struct buf subject;     /* the claim `sub` */
    struct buf claims;      /* JSON, ASCII */
    struct buf session;     /* of a ticket */
    struct span credential; /* the token or ticket in the request's head, to be cut out of it */
    bool by_protocol;       /* it came as a subprotocol: `terrane` is an answer then */
};

struct gate {
    const struct token_keys *keys; /* NULL: no rule wants a JWT */
    enum route_auth fallback;      /* of rules that name none; never DEFAULT */
    bool require_ticket, private_rooms;
    struct shown shown; /* of the request at hand */
    struct buf scratch;
};

/* Judges a request for `r`. `session`: of `?id=`, may be empty. */
enum gate_verdict gate_judge(struct gate *g, const struct http_head *h, const struct route *r,
                             struct span session, int64_t wall_ms);
void gate_clear(struct gate *g);
