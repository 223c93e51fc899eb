#pragma once
/* What a client has to show before anything is opened for it (docs/protocol.md, "Who may come in"):
 * a JSON Web Token or a ticket, as the rule of its path says. Looked at wherever the client
 * arrives, and again by the node that serves it, which alone spends tickets. */
#include "common/proto/http_head.h"
#include "common/proto/routes.h"
#include "common/proto/ticket.h"
#include "common/proto/token.h"
#include "common/proto/trace.h"
#include "shard/core/place.h"
#include "shard/core/spent.h"
#include "shard/io/route.h"

enum gate_verdict {
    GATE_OPEN,      /* come in */
    GATE_NO_TOKEN,  /* 401 */
    GATE_BAD_TOKEN, /* 401: malformed, not ours, expired, several at once */
    GATE_NOT_HERE,  /* 403: good, but for another world or room */
    GATE_NO_TICKET,
    GATE_BAD_TICKET,   /* 401: malformed, not ours, several at once */
    GATE_OLD_TICKET,   /* 401: expired */
    GATE_WRONG_TICKET, /* 403: for another world, shard, room or session */
    GATE_PAST_TICKET,  /* 403: who decided for its world then does so no more */
    GATE_SPENT,        /* 403: somebody has used it */
    GATE_BUSY,         /* 503: no more tickets can be remembered for now */
    GATE_PRIVATE,      /* 401: the room is not public, and nothing that covers it was shown */
    GATE_VERDICTS,
};

/* What was shown and is good; empty texts: nothing. All-zero is valid and empty. */
struct shown {
    struct buf subject; /* the claim `sub` */
    struct buf claims;  /* JSON, ASCII */
    struct buf session; /* of a ticket, as `?id=` would be: trimmed */
    struct buf room;    /* that a ticket is for, or a token's claim `rooms` covers */
    bool elsewhere;     /* a token, which was not asked for, is good and does not cover the room */
    bool has_ticket;
    struct buf world; /* of the ticket, and its epoch, */
    int64_t epoch;
    uint8_t nonce[TICKET_NONCE_LEN]; /* what it is known by, and its end */
    int64_t expires_ms;
    char trace[TRACE_ID_LEN + 1]; /* the ticket's; empty: none */
    bool ours;   /* `token` and `ticket` mean us: they go no further (credential.h) */
    bool greets; /* says who it is in its first frame */
};
/* Hands it on, for a client that has to wait; *from is empty then. */
void shown_move(struct shown *to, struct shown *from);
void shown_clear(struct shown *s);

struct gate {
    const struct token_keys *keys; /* NULL: no rule wants a JWT */
    enum route_auth fallback;      /* of rules that name none; never DEFAULT */
    bool require_ticket, private_rooms;
    const char *world_id;          /* of shard ids that name none */
    const struct secrets *secrets; /* of tickets */
    const struct node *node;
    struct spent spent; /* tickets */
    struct buf ticket;  /* scratch: what it says */
    struct buf scratch;
};

/* What the rule of a path asks for; never DEFAULT. */
enum route_auth gate_auth(const struct gate *g, const struct route *r);
/* Judges a request for `r`; `is_socket`: an upgrade, which can greet and may show what it has as a
 * subprotocol. `session`: of `?id=`, may be empty. *out, whatever it held before, is what was
 * shown, if the verdict is OPEN. */
enum gate_verdict gate_judge(struct gate *g, const struct http_head *h, const struct route *r,
                             bool is_socket, struct span session, int64_t wall_ms,
                             struct shown *out);
/* The same of the token in a first frame; OPEN, BAD_TOKEN or NOT_HERE. */
enum gate_verdict gate_judge_token(struct gate *g, struct span token, const struct route *r,
                                   int64_t wall_ms, struct shown *out);

/* Judges the ticket of a request that gate_judge has let pass, and where rooms can be private also
 * a token that nobody has asked for (gate_ticket.c). `dialled`: the shard that the client named,
 * for which `r` may stand for another. A text that does not look like a ticket is one only where a
 * ticket is needed; else it is the room's own. */
enum gate_verdict gate_judge_ticket(struct gate *g, const struct http_head *h,
                                    const struct route *r, bool is_socket, struct span dialled,
                                    struct span session, int64_t wall_ms, struct shown *out);
/* At the node that serves the shard, once nothing but the seat is left to be found: is it the
 * world and room of the ticket, has nobody used it, is the room public or covered? Who greets is
 * asked about the room when that has been done. */
enum gate_verdict gate_enter(struct gate *g, struct span shard_id, const struct shown *shown,
                             bool is_socket, int64_t now);
/* The client is in: its ticket is used from now on. Not later than the turn of gate_enter. */
void gate_entered(struct gate *g, const struct shown *shown, int64_t wall_ms, int64_t now);
void gate_clear(struct gate *g);
