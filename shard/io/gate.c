/* Judges what clients show. Owns which claims count where; tokens themselves are common/proto's. */
#include "shard/io/gate.h"

#include "common/proto/shard_id.h"
#include "shard/io/credential.h"

/* A longer one would not leave room for anything else in a head. */
enum { TOKEN_MAX = 8 * 1024 };

static void shown_reset(struct shown *s)
{
    buf_reset(&s->subject);
    buf_reset(&s->claims);
    buf_reset(&s->session);
    buf_reset(&s->room);
    buf_reset(&s->world);
    s->ours = s->greets = s->elsewhere = s->has_ticket = false;
}

void shown_move(struct shown *to, struct shown *from)
{
    shown_clear(to);
    *to = *from;
    *from = (struct shown){.ours = false};
}

void shown_clear(struct shown *s)
{
    buf_clear(&s->subject);
    buf_clear(&s->claims);
    buf_clear(&s->session);
    buf_clear(&s->room);
    buf_clear(&s->world);
    s->ours = s->greets = s->elsewhere = s->has_ticket = false;
}

enum route_auth gate_auth(const struct gate *g, const struct route *r)
{
    return r->rule == NULL ? g->fallback : route_rule_auth(r->rule, g->fallback);
}

/* ---- tokens */

/* A path without a shard names no world, and maybe no room: then there is nothing to narrow. */
static bool is_for(const struct gate *g, const struct token *t, const struct route *r)
{
    if (r->shard_id.len == 0)
        return r->room.len == 0 || token_admits(t, "rooms", r->room);
    struct shard_id id = shard_id_parse(r->shard_id);
    struct span world = id.world.ptr == NULL ? span_str(g->world_id) : id.world;
    return token_admits(t, "worlds", world) && token_admits(t, "rooms", id.room);
}

static void show(struct shown *out, const struct token *t, const struct route *r, struct span text)
{
    struct span subject;
    if (r->shard_id.len > 0 && json_object_get(t->claims, "rooms") != NULL)
        buf_add_span(&out->room, shard_id_parse(r->shard_id).room);
    if (token_subject(t, &subject))
        buf_add_span(&out->subject, subject);
    token_add_claims(&out->claims, text);
}

enum gate_verdict gate_judge_token(struct gate *g, struct span text, const struct route *r,
                                   int64_t wall_ms, struct shown *out)
{
    struct token token;
    shown_reset(out);
    out->ours = true;
    if (text.len > TOKEN_MAX || token_read(g->keys, text, wall_ms / 1000, &token) != ERR_OK)
        return GATE_BAD_TOKEN;
    bool fits = is_for(g, &token, r);
    if (fits)
        show(out, &token, r, text);
    token_close(&token);
    return fits ? GATE_OPEN : GATE_NOT_HERE;
}

static enum gate_verdict judge_request(struct gate *g, const struct http_head *h,
                                       const struct route *r, bool is_socket, int64_t wall_ms,
                                       struct shown *out)
{
    buf_reset(&g->scratch);
    enum err e = credential_read(&g->scratch, h, r->query, is_socket, CREDENTIAL_TOKEN);
    if (e != ERR_OK)
        return e == ERR_MISSING ? GATE_NO_TOKEN : GATE_BAD_TOKEN;
    return gate_judge_token(g, buf_span(&g->scratch), r, wall_ms, out);
}

/* ---- */

enum gate_verdict gate_judge(struct gate *g, const struct http_head *h, const struct route *r,
                             bool is_socket, struct span session, int64_t wall_ms,
                             struct shown *out)
{
    (void)session; /* tickets have one */
    enum route_auth auth = gate_auth(g, r);
    shown_reset(out);
    out->ours = auth != ROUTE_AUTH_NONE;
    switch (auth) {
    case ROUTE_AUTH_DEFAULT:
    case ROUTE_AUTH_NONE:
        return GATE_OPEN;
    case ROUTE_AUTH_MESSAGE:
        out->greets = is_socket;
        if (is_socket)
            return GATE_OPEN;
        return judge_request(g, h, r, is_socket, wall_ms, out); /* it has no first frame */
    case ROUTE_AUTH_JWT:
        return judge_request(g, h, r, is_socket, wall_ms, out);
    case ROUTE_AUTH_TICKET:
        return GATE_OPEN; /* gate_judge_ticket has the word */
    }
    return GATE_NO_TOKEN;
}

void gate_clear(struct gate *g)
{
    spent_clear(&g->spent);
    buf_clear(&g->ticket);
    buf_clear(&g->scratch);
}
