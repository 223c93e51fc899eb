/* Why a client goes where it goes, and what a shard's seats are made of. Reads only. */
#include "world/core/manage/manage_page.h"
#include "world/core/manage/manage_verbs.h"
#include "world/core/nodes/nodes.h"
#include "world/core/rooms/placement.h"
#include "world/core/rooms/shards.h"

/* ---- explain */

/* Why the shard is not selectable; NULL: it is. */
static const char *reason_of(const struct shard *s)
{
    if (s->status != SHARD_ACTIVE)
        return shard_status_names[s->status];
    if (shard_used(s) >= s->max)
        return "full";
    if (shard_is_selectable(s))
        return NULL;
    return s->owner == NULL ? "silent" : "node";
}

static void view_candidate(struct json_out *o, const struct shard *s)
{
    const char *reason = reason_of(s);

    json_out_open(o, NULL, '{');
    json_out_text(o, "shardId", s->id);
    json_out_text(o, "status", span_str(shard_status_names[s->status]));
    json_out_u64(o, "used", shard_used(s));
    json_out_u64(o, "open", s->open);
    json_out_u64(o, "reserved", s->reserved);
    json_out_u64(o, "returning", s->returning);
    json_out_u64(o, "maxConnections", s->max);
    if (s->owner == NULL) {
        json_out_null(o, "node");
    } else {
        json_out_text(o, "node", s->owner->id);
        json_out_text(o, "nodeState", span_str(node_state_names[s->owner->state]));
        json_out_bool(o, "nodeUsable", s->owner->usable);
    }
    json_out_bool(o, "selectable", reason == NULL);
    if (reason != NULL)
        json_out_text(o, "reason", span_str(reason));
    json_out_close(o, '}');
}

static struct span why_chosen(const struct room *room, bool has_session)
{
    switch (room->settings.strategy) {
    case STRATEGY_ROUND_ROBIN:
        return SPAN("it is its turn among the selectable, in order of creation");
    case STRATEGY_LEAST_CONNECTIONS:
        return SPAN("it has the fewest seats used, the oldest on a tie");
    case STRATEGY_RANDOM:
        return SPAN("it is the next that chance picks");
    case STRATEGY_PACKED:
        return SPAN("it has the largest share of its seats used, the oldest on a tie");
    case STRATEGY_P2C:
        return SPAN("it has the smaller share used of the next two that chance picks");
    case STRATEGY_HASH:
        return has_session ? SPAN("the hash of the session falls to it")
                           : SPAN("without a session it is the next that chance picks");
    case STRATEGY_COUNT:
        break;
    }
    return (struct span){0};
}

static void add_verdict(struct json_out *o, struct manage *m, const struct room *room,
                        struct span session)
{
    const struct core *core = m->call->core;
    struct placement p = placement_peek(&core->registry, room, session);
    bool grows = placement_grows(room, true, core->settings->max_room_shards);

    if (p.shard != NULL) {
        json_out_text(o, "chosen", p.shard->id);
        json_out_text(o, "why", why_chosen(room, session.len > 0));
        return;
    }
    json_out_null(o, "chosen");
    json_out_text(o, "why",
                  grows ? SPAN("none is selectable: autoCreate makes a shard")
                        : span_str(refusal_name(p.refusal)));
}

void manage_explain_room(struct manage *m)
{
    const struct room *room = manage_room(m, m->args[0]);
    struct buf session = {0};
    struct candidate *c;
    struct page page;
    uint32_t at = 0;

    if (room == NULL || !page_begin(&page, m))
        return;
    (void)manage_query_text(m, "session", &session);
    while (!page.full && (c = candidates_next(&room->candidates, &at)) != NULL) {
        const struct shard *s = shard_of_candidate(c);
        if (page_takes(&page, s->serial, s->id))
            view_candidate(&page.out, s);
    }
    page_end(&page);
    json_out_text(&page.out, "roomId", room->name);
    json_out_text(&page.out, "balancingStrategy",
                  span_str(strategy_names[room->settings.strategy]));
    json_out_u64(&page.out, "selectable", candidates_count(&room->candidates));
    if (room->settings.strategy == STRATEGY_ROUND_ROBIN)
        json_out_u64(&page.out, "turn", room->turn);
    add_verdict(&page.out, m, room, buf_span(&session));
    page_send(&page);
    buf_clear(&session);
}

/* ---- seats */

static void view_promises(struct json_out *o, const struct reservations *rs, int64_t ttl_ms,
                          int64_t now)
{
    json_out_open(o, "promises", '[');
    for (uint32_t i = 0; i < rs->len; i++) {
        const struct reservation *each = &rs->ring[(rs->first + i) & (rs->cap - 1)];
        int64_t left = each->due_ms > now ? each->due_ms - now : 0;
        json_out_open(o, NULL, '{');
        json_out_u64(o, "count", each->count);
        json_out_i64(o, "ageMs", ttl_ms > left ? ttl_ms - left : 0);
        json_out_i64(o, "endsInMs", left);
        json_out_close(o, '}');
    }
    json_out_close(o, ']');
}

static void view_holdings(struct json_out *o, const struct shard *s)
{
    json_out_open(o, "nodes", '[');
    LIST_EACH (&s->holdings, it) {
        const struct holding *h = CONTAINER_OF(it, struct holding, in_shard);
        json_out_open(o, NULL, '{');
        json_out_text(o, "node", h->node->id);
        json_out_bool(o, "owner", h->node == s->owner);
        json_out_u64(o, "open", h->open);
        json_out_u64(o, "returning", h->returning);
        json_out_u64(o, "sessions", h->sessions);
        json_out_close(o, '}');
    }
    json_out_close(o, ']');
}

void manage_show_seats(struct manage *m)
{
    const struct shard *s = manage_shard(m, m->args[0]);
    struct buf *text = &m->call->core->text;
    struct json_out o = {.out = text};
    int64_t now = m->call->now.mono_ms;
    uint64_t used;

    if (s == NULL)
        return;
    used = shard_used(s);
    buf_reset(text);
    json_out_open(&o, NULL, '{');
    json_out_text(&o, "shardId", s->id);
    json_out_u64(&o, "open", s->open);
    json_out_u64(&o, "reserved", s->reserved);
    json_out_u64(&o, "returning", s->returning);
    json_out_u64(&o, "maxConnections", s->max);
    json_out_u64(&o, "free", used < s->max ? s->max - used : 0);
    view_promises(&o, &s->seats.promised, m->call->core->settings->seat_ttl_ms, now);
    json_out_u64(&o, "kept", s->seats.kept);
    if (s->seats.kept > 0)
        json_out_i64(&o, "keptEndsInMs",
                     s->seats.kept_due_ms > now ? s->seats.kept_due_ms - now : 0);
    view_holdings(&o, s);
    json_out_close(&o, '}');
    call_answer(m->call, buf_span(text));
}
