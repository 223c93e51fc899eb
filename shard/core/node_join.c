/* Clients and visitors come in: whether they may, and what follows from it at once. */
#include <assert.h>

#include "common/base/log.h"
#include "common/proto/json_text.h"
#include "shard/core/client.h"
#include "shard/core/node.h"
#include "shard/core/node_state.h"
#include "shard/core/pressure.h"
#include "shard/core/replay.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"
#include "shard/core/wait.h"
#include "shard/core/world.h"

static enum err refuse(struct node *n, enum err e, enum node_reason *why)
{
    n->stats.reasons[*why]++;
    log_debug("client.refused", "reason=%s", node_reason_text(*why));
    return e;
}

static bool is_full(const struct node *n)
{
    return node_is_draining(n) ||
           n->stats.clients + n->stats.visitors >= n->settings->max_connections;
}

/* How a client's messages go. */
enum way { BY_LINK, PASSING, PASSING_WITH_ROOM };

/* May a client with these ids come in? Starts the shard if so. */
static enum err admit(struct node *n, struct span shard_id, struct span session_id, enum way way,
                      int64_t now, struct shard **shard, enum seat_verdict *seat,
                      enum node_reason *why)
{
    *why = NODE_REFUSED_FULL;
    if (is_full(n))
        return ERR_FULL;
    *why = NODE_REFUSED_BAD_ID;
    if (session_id.len > n->settings->max_session_id)
        return ERR_LIMIT;
    if (!span_is_utf8(session_id))
        return ERR_SYNTAX;
    enum err e = shard_reach(n, shard_id, now, shard);
    if (e != ERR_OK && e != ERR_FULL)
        return e;
    *why = NODE_REFUSED_FULL;
    if (e != ERR_OK || (way == BY_LINK && pressure_refuses_joins(&(*shard)->link)))
        return ERR_FULL;
    *why = NODE_REFUSED_MOVING;
    if (way == PASSING_WITH_ROOM && (*shard)->link.held)
        return ERR_FULL;
    *why = NODE_REFUSED_BANNED;
    if (bans_has(&(*shard)->bans, session_id))
        return ERR_DENIED;
    *why = NODE_REFUSED_NO_SEAT;
    *seat = seating_look(&(*shard)->seating, session_id);
    return *seat == SEAT_NONE ? ERR_FULL : ERR_OK;
}

/* The room hears of it, or the link is wanted for that. */
static void announce(struct link *l, struct client *c, int64_t now)
{
    if (link_stands(l)) {
        link_tell_connected(l, c->session, c);
        replay_advance(l);
    } else {
        wait_start(l, now);
        link_need(l);
    }
}

static enum err come_in(struct node *n, struct span shard_id, struct span session_id,
                        struct span request_info, enum way way, int64_t now, struct handle *client,
                        enum node_reason *why)
{
    struct shard *shard = NULL;
    enum seat_verdict seat = SEAT_NONE;
    *client = (struct handle){.gen = 0};
    enum err e = admit(n, shard_id, session_id, way, now, &shard, &seat, why);
    if (e != ERR_OK)
        return refuse(n, e, why);

    seating_take(&shard->seating, session_id, seat);
    struct session *s = way == BY_LINK ? session_enter(shard, session_id)
                                       : session_enter_passing(shard, session_id);
    struct client *c = client_open(s, request_info, now);
    c->follows = way == PASSING_WITH_ROOM;
    if (way == BY_LINK)
        announce(&shard->link, c, now);
    drain_note(&shard->drain, now);
    drain_note(&n->drain, now);
    world_shard_changed(shard);
    shard_changed(shard);
    *client = c->self;
    return ERR_OK;
}

enum err node_client_open(struct node *n, struct span shard_id, struct span session_id,
                          struct span request_info, int64_t now, struct handle *client,
                          enum node_reason *why)
{
#ifdef TERRANE_CHECK
    assert(json_text_check(request_info) == ERR_OK);
#endif
    return come_in(n, shard_id, session_id, request_info, BY_LINK, now, client, why);
}

enum err node_client_pass(struct node *n, struct span shard_id, struct span session_id,
                          bool follows, int64_t now, struct handle *client, enum node_reason *why)
{
    return come_in(n, shard_id, session_id, (struct span){.len = 0},
                   follows ? PASSING_WITH_ROOM : PASSING, now, client, why);
}

enum err node_visitor_open(struct node *n, enum node_reason *why)
{
    *why = NODE_REFUSED_FULL;
    if (is_full(n))
        return refuse(n, ERR_FULL, why);
    n->stats.visitors++; /* beats say so when they come */
    return ERR_OK;
}

void node_visitor_closed(struct node *n)
{
    assert(n->stats.visitors > 0);
    n->stats.visitors--;
}
