/* What the gate's verdicts mean in HTTP. */
#include "shard/io/gatekeeper.h"

#include <assert.h>

#include "common/base/clock.h"
#include "common/proto/hop.h"
#include "common/proto/ws_handshake.h"
#include "shard/io/credential.h"
#include "shard/io/join.h"

#define JSON_TYPE "Content-Type: application/json\r\n"
#define BEARER    JSON_TYPE "WWW-Authenticate: Bearer\r\n"

#define TICKET  JSON_TYPE "WWW-Authenticate: Ticket\r\n"
#define ANOTHER ": ask /connect for another\"}"

static const struct {
    enum refusal why;
    int status;
    struct span headers, body;
} answers[GATE_VERDICTS] = {
    [GATE_NO_TOKEN] = {REFUSED_NO_TOKEN, 401, SPAN_INIT(BEARER),
                       SPAN_INIT("{\"error\":\"A token is needed\"}")},
    [GATE_BAD_TOKEN] = {REFUSED_BAD_TOKEN, 401, SPAN_INIT(BEARER),
                        SPAN_INIT("{\"error\":\"The token is not valid\"}")},
    [GATE_NOT_HERE] = {REFUSED_NOT_HERE, 403, SPAN_INIT(JSON_TYPE),
                       SPAN_INIT("{\"error\":\"The token is not for this place\"}")},
    [GATE_NO_TICKET] = {REFUSED_NO_TICKET, 401, SPAN_INIT(TICKET),
                        SPAN_INIT("{\"error\":\"A ticket is needed: ask /connect for one\"}")},
    [GATE_BAD_TICKET] = {REFUSED_BAD_TICKET, 401, SPAN_INIT(TICKET),
                         SPAN_INIT("{\"error\":\"The ticket is not valid\"}")},
    [GATE_OLD_TICKET] = {REFUSED_OLD_TICKET, 401, SPAN_INIT(TICKET),
                         SPAN_INIT("{\"error\":\"The ticket has expired" ANOTHER)},
    [GATE_WRONG_TICKET] = {REFUSED_WRONG_TICKET, 403, SPAN_INIT(JSON_TYPE),
                           SPAN_INIT(
                               "{\"error\":\"The ticket is for another shard or session" ANOTHER)},
    [GATE_PAST_TICKET] =
        {REFUSED_PAST_TICKET, 403, SPAN_INIT(JSON_TYPE),
         SPAN_INIT("{\"error\":\"The ticket is of an earlier owner of its world" ANOTHER)},
    [GATE_SPENT] = {REFUSED_SPENT_TICKET, 403, SPAN_INIT(JSON_TYPE),
                    SPAN_INIT("{\"error\":\"The ticket has been used" ANOTHER)},
    [GATE_BUSY] = {REFUSED_TICKETS_FULL, 503, SPAN_INIT(JSON_TYPE "Retry-After: 1\r\n"),
                   SPAN_INIT("{\"error\":\"This node takes no more tickets just now\"}")},
    [GATE_PRIVATE] = {REFUSED_PRIVATE, 401, SPAN_INIT(BEARER),
                      SPAN_INIT(
                          "{\"error\":\"This room is private: a token or a ticket is needed\"}")},
};

/* True when the gate is open; else it has been answered. */
static bool obey(struct gatekeeper *k, struct http_exchange *x, enum gate_verdict verdict)
{
    if (verdict == GATE_OPEN)
        return true;
    assert(answers[verdict].status != 0);
    io_stats_refuse(k->stats, answers[verdict].why);
    http_respond(x, answers[verdict].status, answers[verdict].headers, answers[verdict].body);
    return false;
}

/* The process that let the client in may have found another shard for it. */
static struct span dialled_of(struct gatekeeper *k, const struct http_head *h,
                              const struct route *r, const struct sender *from)
{
    struct span named = http_head_get(h, SPAN(HOP_DIALLED));
    buf_reset(&k->dialled);
    if (!from->hopped || named.len == 0 || url_decode(&k->dialled, named) != ERR_OK)
        return r->shard_id;
    return buf_span(&k->dialled);
}

bool gatekeeper_lets(struct gatekeeper *k, struct http_exchange *x, const struct route *r,
                     bool is_socket, const struct sender *from)
{
    int64_t wall_ms = clock_wall_ms();
    buf_reset(&k->session);
    if (is_socket)
        join_read_session(&k->session, r->query);
    enum gate_verdict verdict =
        gate_judge(&k->gate, x->head, r, is_socket, buf_span(&k->session), wall_ms, &k->shown);
    if (verdict == GATE_OPEN)
        verdict =
            gate_judge_ticket(&k->gate, x->head, r, is_socket, dialled_of(k, x->head, r, from),
                              buf_span(&k->session), wall_ms, &k->shown);
    if (verdict == GATE_OPEN && k->shown.has_ticket && trace_is_none(&x->trace))
        trace_continue(&x->trace, k->shown.trace);
    return obey(k, x, verdict);
}

bool gatekeeper_enters(struct gatekeeper *k, const struct arrived *a, int64_t now)
{
    if (a->route->shard_id.len == 0) /* it has no room either */
        return true;
    enum gate_verdict verdict =
        gate_enter(&k->gate, a->route->shard_id, a->shown, a->is_socket, now);
    if (verdict == GATE_OPEN)
        return true;
    return obey(k, a->forward == NULL ? a->x : forward_give_back(a->forward), verdict);
}

void gatekeeper_entered(struct gatekeeper *k, const struct arrived *a, int64_t now)
{
    gate_entered(&k->gate, a->shown, clock_wall_ms(), now);
}

struct arrived gatekeeper_shear(struct gatekeeper *k, const struct arrived *a)
{
    struct arrived shorn = *a;
    if (!a->shown->ours)
        return shorn;
    k->shorn.head = *a->head;
    k->shorn.route = *a->route;
    credential_cut_protocols(&k->shorn.head, &k->shorn.protocols);
    k->shorn.route.query = credential_cut_query(a->route->query, &k->shorn.query);
    shorn.head = &k->shorn.head;
    shorn.route = &k->shorn.route;
    return shorn;
}

struct span gatekeeper_protocol(const struct arrived *a)
{
    const struct http_head *h = a->x->head;
    return a->shown->ours ? credential_protocol(h) : ws_handshake_protocol(h);
}

void gatekeeper_clear(struct gatekeeper *k)
{
    gate_clear(&k->gate);
    shown_clear(&k->shown);
    buf_clear(&k->shorn.query);
    buf_clear(&k->shorn.protocols);
    buf_clear(&k->session);
    buf_clear(&k->dialled);
}
