/* What the gate's verdicts mean in HTTP. */
#include "shard/io/gatekeeper.h"

#include <assert.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/proto/ws_handshake.h"
#include "shard/io/credential.h"
#include "shard/io/join.h"

#define JSON_TYPE "Content-Type: application/json\r\n"
#define BEARER    JSON_TYPE "WWW-Authenticate: Bearer\r\n"

static const struct {
    enum refusal why;
    int status;
    struct span headers, body;
} answers[] = {
    [GATE_NO_TOKEN] = {REFUSED_NO_TOKEN, 401, SPAN_INIT(BEARER),
                       SPAN_INIT("{\"error\":\"A token is needed\"}")},
    [GATE_BAD_TOKEN] = {REFUSED_BAD_TOKEN, 401, SPAN_INIT(BEARER),
                        SPAN_INIT("{\"error\":\"The token is not valid\"}")},
    [GATE_NOT_HERE] = {REFUSED_NOT_HERE, 403, SPAN_INIT(JSON_TYPE),
                       SPAN_INIT("{\"error\":\"The token is not for this place\"}")},
};

bool gatekeeper_lets(struct gatekeeper *k, struct http_exchange *x, const struct route *r,
                     bool is_socket)
{
    buf_reset(&k->session);
    if (is_socket)
        join_read_session(&k->session, r->query);
    enum gate_verdict verdict = gate_judge(&k->gate, x->head, r, is_socket, buf_span(&k->session),
                                           clock_wall_ms(), &k->shown);
    if (verdict == GATE_OPEN)
        return true;
    assert(answers[verdict].status != 0);
    k->stats->refusals[answers[verdict].why]++;
    log_debug("edge.refused", "reason=%s", refusal_text(answers[verdict].why));
    http_respond(x, answers[verdict].status, answers[verdict].headers, answers[verdict].body);
    return false;
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
}
