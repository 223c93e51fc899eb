/* Judges tickets, and who may come into rooms that are not public. Owns what a ticket is bound to;
 * its form is common/proto's. */
#include "shard/io/credential.h"
#include "shard/io/gate.h"
#include "shard/io/join.h"

/* ---- tickets */

static bool needs_ticket(const struct gate *g, const struct route *r)
{
    return gate_auth(g, r) == ROUTE_AUTH_TICKET || (g->require_ticket && r->shard_id.len > 0);
}

/* Where none is needed, a query member or subprotocol of that name may be the room's own. */
static bool looks_like_ticket(struct span text)
{
    return span_starts(text, SPAN("t1."));
}

static void show(struct shown *out, const struct ticket *t)
{
    out->ours = out->has_ticket = true;
    out->epoch = t->epoch;
    out->expires_ms = t->expires_ms;
    memcpy(out->nonce, t->nonce, sizeof out->nonce);
    memcpy(out->trace, t->trace.ptr == NULL ? "" : t->trace.ptr, t->trace.len);
    out->trace[t->trace.len] = '\0';
    buf_add_span(&out->world, t->world);
    buf_reset(&out->room);
    buf_add_span(&out->room, t->room);
    buf_add_span(&out->session, js_trim(t->session));
}

static bool is_past(const struct place_facts *facts, int64_t epoch)
{
    return epoch < facts->epoch;
}

static enum gate_verdict judge_bounds(struct gate *g, const struct ticket *t, struct span dialled,
                                      struct span session)
{
    struct place_facts facts;
    node_facts(g->node, dialled, &facts);
    if (!span_eq(t->shard, dialled) || !span_eq(t->world, facts.world))
        return GATE_WRONG_TICKET;
    if (session.len > 0 && !span_eq(session, js_trim(t->session)))
        return GATE_WRONG_TICKET;
    return is_past(&facts, t->epoch) ? GATE_PAST_TICKET : GATE_OPEN;
}

static enum gate_verdict judge_text(struct gate *g, struct span text, struct span dialled,
                                    struct span session, int64_t wall_ms, struct shown *out)
{
    struct ticket t;
    enum err e = ticket_open(g->secrets, text, wall_ms, &g->ticket, &t);
    if (e != ERR_OK)
        return e == ERR_EXPIRED ? GATE_OLD_TICKET : GATE_BAD_TICKET;
    enum gate_verdict verdict = judge_bounds(g, &t, dialled, session);
    if (verdict == GATE_OPEN)
        show(out, &t);
    return verdict;
}

/* ---- private rooms */

/* A token that the path does not ask for. One that is not ours is the room's own. */
static void look_for_token(struct gate *g, const struct http_head *h, const struct route *r,
                           bool is_socket, int64_t wall_ms, struct shown *out)
{
    if (g->keys == NULL || gate_auth(g, r) != ROUTE_AUTH_NONE || out->room.len > 0)
        return;
    buf_reset(&g->scratch);
    if (credential_read(&g->scratch, h, r->query, is_socket, CREDENTIAL_TOKEN) != ERR_OK)
        return;
    enum gate_verdict verdict = gate_judge_token(g, buf_span(&g->scratch), r, wall_ms, out);
    out->ours = verdict != GATE_BAD_TOKEN;
    out->elsewhere = out->ours && out->room.len == 0;
}

static enum gate_verdict judge_privacy(const struct gate *g, const struct place_facts *facts,
                                       const struct shown *shown)
{
    if (!g->private_rooms || facts->is_public || shown->greets ||
        (shown->room.len > 0 && span_eq(buf_span(&shown->room), facts->room)))
        return GATE_OPEN;
    return shown->elsewhere || shown->claims.len > 0 ? GATE_NOT_HERE : GATE_PRIVATE;
}

/* ---- */

enum gate_verdict gate_judge_ticket(struct gate *g, const struct http_head *h,
                                    const struct route *r, bool is_socket, struct span dialled,
                                    struct span session, int64_t wall_ms, struct shown *out)
{
    bool needed = needs_ticket(g, r);
    if (r->shard_id.len == 0)
        return needed ? GATE_NO_TICKET : GATE_OPEN;
    buf_reset(&g->scratch);
    enum err e = credential_read(&g->scratch, h, r->query, is_socket, CREDENTIAL_TICKET);
    if (needed && e != ERR_OK)
        return e == ERR_MISSING ? GATE_NO_TICKET : GATE_BAD_TICKET;
    if (needed || (e == ERR_OK && looks_like_ticket(buf_span(&g->scratch))))
        return judge_text(g, buf_span(&g->scratch), dialled, session, wall_ms, out);
    if (g->private_rooms)
        look_for_token(g, h, r, is_socket, wall_ms, out);
    return GATE_OPEN;
}

enum gate_verdict gate_enter(struct gate *g, struct span shard_id, const struct shown *shown,
                             bool is_socket, int64_t now)
{
    struct place_facts facts;
    if (shard_id.len == 0)
        return GATE_OPEN; /* of no world, and nothing there is private or promised */
    node_facts(g->node, shard_id, &facts);
    if (!shown->has_ticket)
        return judge_privacy(g, &facts, shown);
    if (!span_eq(buf_span(&shown->world), facts.world) ||
        !span_eq(buf_span(&shown->room), facts.room))
        return GATE_WRONG_TICKET;
    if (is_past(&facts, shown->epoch))
        return GATE_PAST_TICKET;
    if (!is_socket)
        return GATE_OPEN;
    switch (spent_look(&g->spent, span_of(shown->nonce, sizeof shown->nonce), now)) {
    case SPENT_FRESH:
        break;
    case SPENT_USED:
        return GATE_SPENT;
    case SPENT_FULL:
        return GATE_BUSY;
    }
    return GATE_OPEN;
}

/* It is remembered for the leeway once more: clocks are set back, too. */
void gate_entered(struct gate *g, const struct shown *shown, int64_t wall_ms, int64_t now)
{
    int64_t left_ms = shown->expires_ms - wall_ms;
    if (shown->has_ticket)
        spent_add(&g->spent, span_of(shown->nonce, sizeof shown->nonce),
                  now + (left_ms > 0 ? left_ms : 0) + (int64_t)2 * TICKET_LEEWAY_MS);
}
