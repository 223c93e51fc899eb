/* The rules of arrivals. Owns what is remembered of other nodes; starts no shard but those that it
 * adopts or is ordered to serve. */
#include "shard/core/place.h"

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/proto/shard_id.h"
#include "shard/core/node_state.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

static void refuse(struct node *n, enum node_reason why, struct place *out)
{
    n->stats.reasons[why]++;
    log_debug("arrival.refused", "reason=%s", node_reason_text(why));
    out->kind = PLACE_REFUSED;
    out->why = why;
}

/* More questions would not help it, or come too late. */
static bool is_spent(const struct arrival *a, int64_t now)
{
    return a->asked >= PLACE_ASKS || now - a->since_ms >= PLACE_HOLD_MS;
}

static void ask(const struct world *w, enum resolve_reason reason, struct place *out)
{
    out->kind = PLACE_ASK;
    out->world = w->id;
    out->reason = reason;
}

static bool has_socket(const struct shard *shard, struct span session)
{
    return session_sockets(shard, session) > 0;
}

/* Whoever has a socket here stays with us, whoever owns the shard now. */
static bool is_at_home(const struct shard *shard, const struct arrival *a)
{
    if (shard == NULL || a->session.len == 0 || node_is_draining(shard->node))
        return false;
    if (has_socket(shard, a->session))
        return true;
    /* Who was closed by a drain is expected back, but not here. */
    return shard->status != ORDER_DRAINING && seating_look(&shard->seating, a->session) == SEAT_OWN;
}

/* Requests are served until the end: they are over before it. */
static bool takes(const struct node *n, const struct arrival *a)
{
    return a->is_socket ? !node_is_draining(n) : !n->closing;
}

/* True when our own shard lets this one in; else *reason says why not. */
static bool lets_in(const struct node *n, const struct shard *shard, const struct arrival *a,
                    enum resolve_reason *reason)
{
    *reason = RESOLVE_DRAINING;
    if (!takes(n, a))
        return false;
    if (!a->is_socket)
        return true;
    if (shard->status == ORDER_DRAINING)
        return false;
    *reason = RESOLVE_FULL;
    return seating_look(&shard->seating, a->session) != SEAT_NONE;
}

static void place_owned(struct node *n, const struct world *w, const struct shard *shard,
                        const struct arrival *a, int64_t now, struct place *out)
{
    enum resolve_reason reason;
    if (lets_in(n, shard, a, &reason))
        return;
    if (a->hopped) { /* who sent it here looks for another place */
        out->kind = PLACE_ELSEWHERE;
        out->reason = reason;
        return;
    }
    switch (a->told) {
    case TOLD_NOTHING:
    case TOLD_OWNER:
        if (is_spent(a, now))
            refuse(n, NODE_REFUSED_NO_SEAT, out);
        else
            ask(w, reason, out);
        break;
    case TOLD_ADOPT:
    case TOLD_ADOPT_PRIVATE:
    case TOLD_UNKNOWN:
    case TOLD_FULL:
    case TOLD_NOBODY:
        refuse(n, NODE_REFUSED_NO_SEAT, out);
        break;
    }
}

static void place_adopted(struct node *n, const struct shard *shard, const struct arrival *a,
                          struct place *out)
{
    if (!takes(n, a))
        refuse(n, NODE_REFUSED_FULL, out);
    else if (a->is_socket && seating_look(&shard->seating, a->session) == SEAT_NONE)
        refuse(n, NODE_REFUSED_NO_SEAT, out);
}

/* Half of the room is kept for what worlds order: anybody can think of ids. */
static bool may_adopt(const struct node *n)
{
    return n->stats.shards - n->stats.shards_owned < (n->settings->max_shards + 1) / 2;
}

/* When it cannot be started, the attempt to open the client says why. */
static void adopt(struct node *n, const struct arrival *a, int64_t now)
{
    struct shard *shard;
    if (shard_reach(n, a->shard_id, now, &shard) != ERR_OK)
        return;
    shard->adopted = true;
    shard->privacy = a->told == TOLD_ADOPT ? SHARD_PUBLIC : SHARD_PRIVATE;
    seating_adopt(&shard->seating);
    n->stats.adopted++;
    log_info("shard.adopt", "shard=%.*s", SPAN_ARG(shard->id));
}

static void ask_again(struct node *n, const struct world *w, const struct arrival *a, int64_t now,
                      struct place *out)
{
    if (!is_spent(a, now))
        ask(w, a->tried.len > 0 ? a->tried_why : RESOLVE_UNKNOWN, out);
    else if (a->hopped)
        out->kind = PLACE_ELSEWHERE;
    else
        refuse(n, NODE_REFUSED_NO_OWNER, out);
}

static void place_unowned(struct node *n, const struct world *w, const struct arrival *a,
                          int64_t now, struct place *out)
{
    switch (a->told) {
    case TOLD_NOTHING:
    case TOLD_OWNER:
        ask_again(n, w, a, now, out);
        break;
    case TOLD_ADOPT:
    case TOLD_ADOPT_PRIVATE:
        if (!n->settings->adopt)
            refuse(n, NODE_REFUSED_UNKNOWN, out);
        else if (!takes(n, a) || !may_adopt(n))
            refuse(n, NODE_REFUSED_FULL, out);
        else if (!a->greets)
            adopt(n, a, now);
        break;
    case TOLD_UNKNOWN:
        refuse(n, NODE_REFUSED_UNKNOWN, out);
        break;
    case TOLD_FULL:
        refuse(n, NODE_REFUSED_NO_SEAT, out);
        break;
    case TOLD_NOBODY: /* here, and settled when a world is back */
        if (!takes(n, a))
            refuse(n, NODE_REFUSED_FULL, out);
        break;
    }
}

static struct world *world_of(struct node *n, struct span shard_id, int64_t now)
{
    struct span id = shard_id_parse(shard_id).world;
    return world_reach(n, id.ptr == NULL ? span_str(n->settings->world_id) : id, now);
}

/* Only worlds that know nodes can be asked. */
static bool is_asked(const struct node *n, const struct world *w)
{
    return w != NULL && w->mode != WORLD_REFERENCE &&
           n->settings->protocol != NODE_PROTOCOL_REFERENCE;
}

/* The first beat to a world is answered by orders, or by a world that knows no nodes and is not to
 * be asked about them. */
static bool is_about_to_speak(const struct world *w, const struct arrival *a, int64_t now)
{
    return w->mode == WORLD_UNHEARD && !w->failing && now - a->since_ms < PLACE_ASK_MS;
}

static bool ids_are_good(const struct node *n, const struct arrival *a)
{
    return shard_id_check(n, a->shard_id) == ERR_OK &&
           a->session.len <= n->settings->max_session_id && span_is_utf8(a->session);
}

void node_place(struct node *n, const struct arrival *a, int64_t now, struct place *out)
{
    *out = (struct place){.kind = PLACE_HERE};
    if (!ids_are_good(n, a))
        return; /* refused when it is to be opened */
    const struct world *w = world_of(n, a->shard_id, now);
    const struct shard *shard = map_get(&n->shard_map, a->shard_id);
    if (!is_asked(n, w) || is_at_home(shard, a))
        return;
    if (is_about_to_speak(w, a, now)) {
        out->kind = PLACE_WAIT;
        return;
    }
    if (shard != NULL && shard->owned) {
        place_owned(n, w, shard, a, now, out);
        return;
    }
    if (shard != NULL && shard->adopted) {
        place_adopted(n, shard, a, out);
        return;
    }
    /* Whoever sent it on had reasons: what we remember may be older. */
    const struct owner *owner = NULL;
    if (!a->hopped || a->asked > 0)
        owner = owners_get(&n->owners, a->shard_id, w->epoch, now);
    if (owner == NULL) {
        place_unowned(n, w, a, now, out);
        return;
    }
    out->kind = a->hopped ? PLACE_ELSEWHERE : PLACE_THERE;
    out->node = owner->node;
    out->url = owner->url;
}

/* ---- answers */

static enum told told_404(const struct world *w, struct span body)
{
    bool may_adopt = false, is_private = false;
    json_t *doc = json_decode_max(body, RESOLVED_VALUES_MAX);
    (void)json_get_bool(doc, "adopt", &may_adopt);
    (void)json_get_bool(doc, "private", &is_private);
    json_decref(doc);
    if (may_adopt)
        return is_private ? TOLD_ADOPT_PRIVATE : TOLD_ADOPT;
    /* A world that knows no nodes answers so to whatever it does not know. */
    return w->mode == WORLD_BEATS ? TOLD_UNKNOWN : TOLD_NOBODY;
}

/* Newer orders have come before it: they may have taken away what it gives. */
static bool is_overtaken(const struct world *w, const struct resolved *r)
{
    return r->epoch == w->epoch && r->version != 0 && r->version < w->orders_version;
}

static void follow_resolved(struct world *w, const struct resolved *r, const json_t *bans,
                            int64_t now)
{
    struct node *n = w->node;
    if (!span_eq(r->node, span_str(n->settings->id))) {
        owners_put(&n->owners, r->order.shard_id, r->node, r->url, r->epoch, now);
        return;
    }
    owners_forget(&n->owners, r->order.shard_id);
    if (!is_overtaken(w, r))
        world_follow(w, &r->order, bans, now);
}

/* Whoever decided for the world before somebody else did is not believed: as if it was not asked.
 */
static bool is_stale(const struct world *w, const struct resolved *r)
{
    if (r->epoch >= w->epoch)
        return false;
    w->node->stats.stale_answers++;
    log_warn("resolve.stale", "world=%.*s epoch=%lld seen=%lld", SPAN_ARG(w->id),
             (long long)r->epoch, (long long)w->epoch);
    return true;
}

static enum told told_owner(struct world *w, struct span body, int64_t now, struct span *shard_id)
{
    struct resolved r;
    json_t *doc;
    const json_t *bans;
    enum told told = TOLD_NOBODY;
    if (resolved_read(&r, &doc, &bans, body) == ERR_OK)
        told = is_stale(w, &r) ? TOLD_NOTHING : TOLD_OWNER;
    if (told == TOLD_OWNER) {
        struct buf *scratch = &w->node->scratch;
        buf_reset(scratch);
        buf_add_span(scratch, r.order.shard_id);
        follow_resolved(w, &r, bans, now);
        *shard_id = buf_span(scratch);
    }
    json_decref(doc);
    return told;
}

enum told node_resolved(struct node *n, const struct arrival *a, int status, struct span body,
                        int64_t now, struct span *shard_id)
{
    struct world *w = world_of(n, a->shard_id, now);
    if (w == NULL)
        return TOLD_NOBODY;
    switch (status) {
    case 200:
        return told_owner(w, body, now, shard_id);
    case 404:
        return told_404(w, body);
    case 503:
        return TOLD_FULL;
    default:
        return TOLD_NOBODY;
    }
}

bool node_knows(const struct node *n, struct span shard_id, struct span session)
{
    const struct shard *shard = map_get(&n->shard_map, shard_id);
    if (shard == NULL || session.len == 0)
        return false;
    return has_socket(shard, session) || seating_look(&shard->seating, session) == SEAT_OWN;
}

void node_facts(const struct node *n, struct span shard_id, struct place_facts *out)
{
    const struct shard *shard = map_get(&n->shard_map, shard_id);
    const struct world *w;
    struct shard_id id = shard_id_parse(shard_id);
    *out = (struct place_facts){.world = id.world, .room = id.room};
    if (id.world.ptr == NULL)
        out->world = span_str(n->settings->world_id);
    if (shard != NULL) {
        out->world = shard->world->id;
        out->room = shard->room;
        out->is_public = shard->privacy == SHARD_PUBLIC;
    }
    w = map_get(&n->world_map, out->world);
    out->epoch = w == NULL ? 0 : w->epoch;
}

void node_misplaced(struct node *n, struct span shard_id)
{
    owners_forget(&n->owners, shard_id);
}
