#pragma once
/* What a client has to show before anything is opened for it (docs/protocol.md, "Who may come in"):
 * a JSON Web Token or a ticket, as the rule of its path says. Looked at wherever the client
 * arrives, and again by the node that serves it, which alone spends tickets. */
#include "common/proto/http_head.h"
#include "common/proto/routes.h"
#include "common/proto/token.h"
#include "shard/io/route.h"

enum gate_verdict {
    GATE_OPEN,      /* come in */
    GATE_NO_TOKEN,  /* 401 */
    GATE_BAD_TOKEN, /* 401: malformed, not ours, expired, several at once */
    GATE_NOT_HERE,  /* 403: good, but for another world, shard, room or session */
    GATE_SPENT,     /* 403: a ticket that somebody has used */
    GATE_BUSY,      /* 503: no more tickets can be remembered for now */
};

/* What was shown and is good; empty texts: nothing. All-zero is valid and empty. */
struct shown {
    struct buf subject; /* the claim `sub` */
    struct buf claims;  /* JSON, ASCII */
    struct buf session; /* of a ticket */
    bool ours;          /* `token` and `ticket` mean us: they go no further (credential.h) */
    bool greets;        /* says who it is in its first frame */
};
/* Hands it on, for a client that has to wait; *from is empty then. */
void shown_move(struct shown *to, struct shown *from);
void shown_clear(struct shown *s);

struct gate {
    const struct token_keys *keys; /* NULL: no rule wants a JWT */
    enum route_auth fallback;      /* of rules that name none; never DEFAULT */
    bool require_ticket, private_rooms;
    const char *world_id; /* of shard ids that name none */
    struct buf scratch;
};

/* Judges a request for `r`; `is_socket`: an upgrade, which can greet and may show what it has as a
 * subprotocol. `session`: of `?id=`, may be empty. *out, whatever it held before, is what was
 * shown, if the verdict is OPEN. */
enum gate_verdict gate_judge(struct gate *g, const struct http_head *h, const struct route *r,
                             bool is_socket, struct span session, int64_t wall_ms,
                             struct shown *out);
/* The same of the token in a first frame; OPEN, BAD_TOKEN or NOT_HERE. */
enum gate_verdict gate_judge_token(struct gate *g, struct span token, const struct route *r,
                                   int64_t wall_ms, struct shown *out);
void gate_clear(struct gate *g);
