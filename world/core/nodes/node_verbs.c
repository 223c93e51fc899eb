/* The verbs that nodes call: heartbeat and resolve. */
#include <stdlib.h>

#include "common/proto/shard_id.h"
#include "world/core/api/verbs.h"
#include "world/core/nodes/nodes.h"
#include "world/core/park.h"

static void refuse_conflict(struct call *call, const struct orders_conflict *conflict)
{
    struct buf text = {0};

    orders_conflict_add(&text, conflict);
    call_refuse_raw(call, REFUSAL_CONFLICT, buf_span(&text));
    buf_clear(&text);
}

static void answer_orders(struct call *call, const struct beat *b)
{
    struct registry *registry = &call->core->registry;
    struct world *w = registry_world(registry, call->world);
    struct node *n = world_node(w, b->node_id);
    struct orders none = {.epoch = w->epoch, .version = b->have_version, .unchanged = true};
    struct buf *text = &call->core->text;

    buf_reset(text);
    if (n != NULL) {
        nodes_add_orders(registry, n, b, call->now, text);
    } else { /* it was the last beat */
        orders_open(text, &none);
        orders_close(text);
    }
    call_answer(call, buf_span(text));
}

static void heartbeat(struct call *call, const struct beat *b, struct beat_doc *doc)
{
    struct registry *registry = &call->core->registry;
    struct world *w = registry_make_world(registry, call->world);
    struct orders_conflict conflict;

    switch (nodes_beat(registry, w, b, doc, call->now, &conflict)) {
    case BEAT_TAKEN:
        answer_orders(call, b);
        break;
    case BEAT_CONFLICT:
        refuse_conflict(call, &conflict);
        break;
    }
    core_wake(call->core);
}

static bool read_beat(struct call *call, struct beat *b, struct beat_doc *doc, const char **why)
{
    if (beat_read(b, doc, call->request->body, why) != ERR_OK)
        return false;
    *why = "epoch is more than a day ahead of the world's clock";
    return b->epoch <= call->now.wall_ms + NODES_EPOCH_AHEAD_MS;
}

void verb_heartbeat(struct call *call)
{
    struct beat b;
    struct beat_doc doc;
    const char *why;

    if (read_beat(call, &b, &doc, &why))
        heartbeat(call, &b, &doc);
    else
        call_refuse_name(call, REFUSAL_BODY_INVALID, SPAN("Invalid heartbeat: "), span_str(why),
                         (struct span){0});
    beat_doc_clear(&doc);
}

/* Who asks and owns the shard serves the client at once, orders or not: it has to know whom it may
 * not let in, and whatever it knows of bans is replaced. Nobody else has a use for them. */
static void answer_resolved(struct call *call, const struct resolve *q, const struct shard *s)
{
    bool is_owner = span_eq(q->asker, s->owner->id);
    struct order_ban *bans = is_owner ? bans_order(s->room, call->now) : NULL;
    struct buf *text = &call->core->text;
    struct resolved answer = {
        .epoch = s->room->world->epoch,
        .version = s->owner->version_of_orders,
        .order = shard_order(s, call->now),
        .node = s->owner->id,
        .url = node_address(s->owner),
    };

    buf_reset(text);
    resolved_add(text, &answer, bans, bans == NULL ? 0 : s->room->bans.count);
    call_answer(call, buf_span(text));
    free(bans);
}

/* A shard more for a client of whom nothing is known: within what strangers may have made. */
static enum refusal grow(struct call *call, struct room *room, const struct resolve *q,
                         struct shard **shard)
{
    struct core *core = call->core;
    struct strangers_wish wish = {
        .world = room->world, .count = 1, .weight = strangers_weight(room->name)};
    enum refusal why = strangers_ask(&core->strangers, &core->settings->strangers, &wish,
                                     call->now.mono_ms, &call->retry_ms);

    if (why == REFUSAL_NONE)
        why = nodes_resolve_anew(&core->registry, room, q, call->now, shard);
    if (why == REFUSAL_NONE)
        strangers_made(room->world, &(*shard)->by_stranger, room->name);
    return why;
}

/* A node that a world process may hand a client to: of this world, else of any other. Nodes learn
 * worlds from clients. */
static const struct node *any_node(struct call *call)
{
    struct registry *registry = &call->core->registry;
    struct world *w = registry_world(registry, call->world);
    const struct node *n = w == NULL ? NULL : nodes_pick(w, call->now);

    LIST_EACH (&registry->world_list, it) {
        if (n != NULL)
            break;
        n = nodes_pick(CONTAINER_OF(it, struct world, node), call->now);
    }
    return n;
}

/* Of a shard that nobody created, its id names the room. */
static bool is_private(const struct call *call, struct span shard_id)
{
    const struct world *w = registry_world(&call->core->registry, call->world);
    const struct shard *s = world_shard(w, shard_id);
    const struct room *room = s != NULL ? s->room : world_room(w, shard_id_parse(shard_id).room);

    return room != NULL && !room->settings.is_public;
}

/* Nobody created it, or no node of its world is there to own it: a node that asks may adopt it
 * itself, a world process hears of one (`n`) that will see to it. */
static void refuse_missing(struct call *call, const struct resolve *q, const struct node *n)
{
    struct buf members = {0};

    BUF_ADD_LIT(&members, "\"adopt\":true");
    if (is_private(call, q->shard_id))
        BUF_ADD_LIT(&members, ",\"private\":true");
    if (n != NULL) {
        BUF_ADD_LIT(&members, ",\"node\":");
        json_add_string(&members, n->id);
        BUF_ADD_LIT(&members, ",\"url\":");
        json_add_string(&members, node_address(n));
    }
    call_refuse_with(call, REFUSAL_SHARD_MISSING, SPAN("Nobody created this shard"),
                     buf_span(&members));
    buf_clear(&members);
}

static void refuse_resolve(struct call *call, const struct resolve *q, enum refusal why)
{
    const struct node *n = NULL;

    if (q->asker.len == 0 && (why == REFUSAL_SHARD_MISSING || why == REFUSAL_NO_NODE))
        n = any_node(call);
    if (why == REFUSAL_SHARD_MISSING || (why == REFUSAL_NO_NODE && n != NULL))
        refuse_missing(call, q, n);
    else if (why == REFUSAL_NO_NODE && park_call_for_node(call))
        return;
    else if (why == REFUSAL_SHARD_RETIRED)
        call_refuse(call, why, SPAN("This shard is gone"));
    else
        call_refuse(call, refusal_status(why) == 503 ? why : REFUSAL_FULL,
                    SPAN("No seat for this client"));
}

static void resolve(struct call *call, const struct resolve *q)
{
    struct registry *registry = &call->core->registry;
    struct resolution found;
    enum refusal why =
        nodes_resolve(registry, registry_world(registry, call->world), q, call->now, &found);

    if (found.grow != NULL)
        why = grow(call, found.grow, q, &found.shard);
    if (why == REFUSAL_NONE)
        answer_resolved(call, q, found.shard);
    else
        refuse_resolve(call, q, why);
}

void verb_resolve(struct call *call)
{
    struct resolve q;
    json_t *doc;
    const char *why;

    if (park_call(call))
        return;
    if (resolve_read(&q, &doc, call->request->body, &why) == ERR_OK)
        resolve(call, &q);
    else
        call_refuse_name(call, REFUSAL_BODY_INVALID, SPAN("Invalid resolve: "), span_str(why),
                         (struct span){0});
    json_decref(doc);
}
