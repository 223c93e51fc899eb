/* Rooms and their servers. Who lives is servers.c's, what nodes are told node_orders.c's. */
#include "world/core/servers/assignment.h"

#include <assert.h>

#include "common/base/log.h"
#include "common/proto/origins.h"
#include "common/proto/url.h"
#include "world/core/nodes/nodes.h"

static const uint8_t assignment_next[ASSIGNMENT_STATE_COUNT] = {
    [ASSIGNMENT_NONE] = 1u << ASSIGNMENT_SET | 1u << ASSIGNMENT_CLOSING,
    [ASSIGNMENT_SET] = 1u << ASSIGNMENT_CLOSING,
    [ASSIGNMENT_CLOSING] = 1u << ASSIGNMENT_SET | 1u << ASSIGNMENT_NONE,
};

static struct span origin_of(const struct world_server *at)
{
    if (at == NULL)
        return (struct span){0};
    return at->server->origin;
}

/* Puts the room where its state has it. */
static void link_room(struct room *room)
{
    struct assignment *a = &room->assignment;
    struct registry *r = room->world->registry;

    switch (a->state) {
    case ASSIGNMENT_NONE:
        list_push(&room->world->unassigned, &a->in_server);
        break;
    case ASSIGNMENT_SET:
        list_push(&a->server->settled, &a->in_server);
        break;
    case ASSIGNMENT_CLOSING:
        list_push(&r->servers.closing, &a->in_closing);
        break;
    case ASSIGNMENT_STATE_COUNT:
        break;
    }
}

static void unlink_room(struct room *room)
{
    list_remove(&room->assignment.in_server);
    list_remove(&room->assignment.in_closing);
}

static void count(struct assignment *a, struct world_server *server, struct world_server *next)
{
    if (a->server != NULL)
        a->server->rooms--;
    if (a->next != NULL)
        a->next->awaited--;
    a->server = server;
    a->next = next;
    if (server != NULL)
        server->rooms++;
    if (next != NULL)
        next->awaited++;
}

/* The only place that moves the state. */
static void assignment_go(struct room *room, enum assignment_state to, struct world_server *server,
                          struct world_server *next)
{
    assert(room->assignment.state < ASSIGNMENT_STATE_COUNT);
    assert(assignment_next[room->assignment.state] & 1u << to);
    assert(to == ASSIGNMENT_CLOSING ||
           (next == NULL && (to == ASSIGNMENT_SET) == (server != NULL)));
    unlink_room(room);
    count(&room->assignment, server, next);
    room->assignment.state = to;
    link_room(room);
    room->world->change++;
}

/* Stores it, and has nodes told. */
static void publish(struct registry *r, struct room *room)
{
    room_order_changed(r, room);
    r->watch.room_changed(r->watch.ctx, room, ROOM_SERVER);
}

/* ---- the choice */

static bool is_up(const struct world_server *at)
{
    return at != NULL && server_takes_rooms(at) && at->server->state == SERVER_UP;
}

/* Good enough for a room that is nowhere: it may not have been probed yet. */
static bool is_hopeful(const struct world_server *at)
{
    return server_takes_rooms(at) &&
           (at->server->state == SERVER_UP || at->server->state == SERVER_UNKNOWN);
}

/* Rendezvous hashing, as nodes do it over their own list. */
static struct world_server *choose(const struct world *w, struct span room,
                                   bool (*fits)(const struct world_server *))
{
    struct world_server *best = NULL;
    uint64_t best_score = 0;

    LIST_EACH (&w->servers, it) {
        struct world_server *at = CONTAINER_OF(it, struct world_server, in_world);
        struct span host = url_origin_host(at->server->origin);
        uint64_t score = fits(at) ? origin_score(host, room) : 0;
        if (!fits(at) || (best != NULL && score <= best_score))
            continue;
        best = at;
        best_score = score;
    }
    return best;
}

static struct world_server *choose_new(const struct world *w, struct span room)
{
    struct world_server *at = choose(w, room, is_hopeful);

    return at != NULL ? at : choose(w, room, server_takes_rooms);
}

/* True while a live node has a link of the room; *where is its server, if it takes rooms. */
static bool is_in_use(const struct room *room, struct world_server **where)
{
    bool used = false;
    struct candidate *c;

    *where = NULL;
    for (uint32_t at = 0; (c = candidates_next(&room->candidates, &at)) != NULL;) {
        LIST_EACH (&shard_of_candidate(c)->holdings, it) {
            const struct holding *h = CONTAINER_OF(it, struct holding, in_shard);
            struct world_server *found;
            if (h->link != BEAT_LINK_UP || h->node->state != NODE_ALIVE)
                continue;
            used = true;
            found = servers_find(room->world, h->server);
            if (found != NULL && server_takes_rooms(found))
                *where = found;
        }
    }
    return used;
}

/* ---- rooms without a server */

static void assign(struct registry *r, struct room *room)
{
    struct world_server *at;
    bool used = is_in_use(room, &at);

    if (!used)
        at = choose_new(room->world, room->name);
    if (at == NULL) { /* it runs elsewhere and stays there; the next */
        unlink_room(room);
        link_room(room);
        return;
    }
    log_debug("room.assigned", "room=%.*s server=%.*s adopted=%d", SPAN_ARG(room->name),
              SPAN_ARG(origin_of(at)), used);
    assignment_go(room, ASSIGNMENT_SET, at, NULL);
    publish(r, room);
}

static void assign_some(struct registry *r, struct world *w, struct moment now)
{
    struct list *last = w->unassigned.prev;

    if (list_empty(&w->unassigned) || world_is_settling(w, now) ||
        choose(w, (struct span){0}, server_takes_rooms) == NULL)
        return;
    for (int n = 0; n < ASSIGNMENT_BATCH && !list_empty(&w->unassigned); n++) {
        struct list *first = list_first(&w->unassigned);
        assign(r, CONTAINER_OF(first, struct room, assignment.in_server));
        if (first == last)
            return;
    }
}

/* ---- moves */

/* First step: nobody is to have a link. */
static void start_move(struct registry *r, struct room *room, struct world_server *to,
                       enum server_move why, struct moment now)
{
    struct assignment *a = &room->assignment;

    log_info("room.moving", "world=%.*s room=%.*s from=%.*s to=%.*s cause=%s",
             SPAN_ARG(room->world->id), SPAN_ARG(room->name), SPAN_ARG(origin_of(a->server)),
             SPAN_ARG(origin_of(to)), server_move_names[why]);
    r->servers.moves[why]++;
    a->closing_ms = now.mono_ms;
    assignment_go(room, ASSIGNMENT_CLOSING, a->server, to);
    publish(r, room);
}

/* Second step. What was chosen may have gone meanwhile. */
static void finish_move(struct registry *r, struct room *room, struct moment now)
{
    struct assignment *a = &room->assignment;
    struct world_server *to = a->next;

    if (to != NULL && !is_up(to)) {
        to = is_up(a->server) ? a->server : choose(room->world, room->name, is_up);
        to = to == NULL ? a->server : to;
    }
    log_info("room.moved", "world=%.*s room=%.*s server=%.*s ms=%lld", SPAN_ARG(room->world->id),
             SPAN_ARG(room->name), SPAN_ARG(origin_of(to)),
             (long long)(now.mono_ms - a->closing_ms));
    assignment_go(room, to == NULL ? ASSIGNMENT_NONE : ASSIGNMENT_SET, to, NULL);
    publish(r, room);
}

static int64_t silent_ms(const struct shard *s)
{
    int64_t settle_ms = nodes_settle_ms(s->room->world->registry);

    return settle_ms > ASSIGNMENT_SILENT_MS ? settle_ms : ASSIGNMENT_SILENT_MS;
}

/* True when nothing of the shard is to be waited for: every live node has followed. Nodes that
 * were not heard yet may have links. */
static bool is_closed_at(const struct shard *s, int64_t waited_ms)
{
    const struct node *n = s->owner;

    if (n != NULL && n->state == NODE_EXPECTED && waited_ms < silent_ms(s))
        return false;
    if (n != NULL && n->state == NODE_ALIVE && n->have_version < s->order_version)
        return false;
    LIST_EACH (&s->holdings, it) {
        const struct holding *h = CONTAINER_OF(it, struct holding, in_shard);
        if (h->node->state != NODE_ALIVE)
            continue;
        if (h->link != BEAT_LINK_IDLE || (h->node != n && h->node->have_version < h->order_version))
            return false;
    }
    return true;
}

static bool is_closed(const struct room *room, int64_t waited_ms)
{
    struct candidate *c;

    for (uint32_t at = 0; (c = candidates_next(&room->candidates, &at)) != NULL;) {
        if (!is_closed_at(shard_of_candidate(c), waited_ms))
            return false;
    }
    return true;
}

static int64_t late_ms(const struct registry *r)
{
    int64_t beats_ms = r->beat_ms * ASSIGNMENT_BEATS;

    return beats_ms > ASSIGNMENT_LATE_MS ? beats_ms : ASSIGNMENT_LATE_MS;
}

void assignment_look(struct registry *r, struct room *room, struct moment now)
{
    int64_t waited_ms = now.mono_ms - room->assignment.closing_ms;

    if (room->assignment.state != ASSIGNMENT_CLOSING)
        return;
    if (is_closed(room, waited_ms)) {
        finish_move(r, room, now);
    } else if (waited_ms >= late_ms(r)) {
        log_warn("room.unconfirmed", "world=%.*s room=%.*s", SPAN_ARG(room->world->id),
                 SPAN_ARG(room->name));
        finish_move(r, room, now);
    }
}

static void finish_moves(struct registry *r, struct moment now)
{
    LIST_EACH_SAFE (&r->servers.closing, it, after)
        assignment_look(r, CONTAINER_OF(it, struct room, assignment.in_closing), now);
}

/* Moves what is there to servers that are up; without any of them it stays. `out`: rather nowhere,
 * if there is none at all. */
static void move_some(struct registry *r, struct world_server *at, enum server_move why, bool out,
                      struct moment now)
{
    for (int n = 0; n < ASSIGNMENT_BATCH && !list_empty(&at->settled); n++) {
        struct list *first = list_first(&at->settled);
        struct room *room = CONTAINER_OF(first, struct room, assignment.in_server);
        struct world_server *to = choose(at->world, room->name, is_up);
        if (to == NULL && !out)
            return;
        start_move(r, room, to, why, now);
    }
}

static void leave_dead(struct registry *r, struct moment now)
{
    LIST_EACH (&r->servers.list, it) {
        struct room_server *s = CONTAINER_OF(it, struct room_server, node);
        if (s->state != SERVER_DEAD || now.mono_ms - s->dead_ms < r->servers.failover_ms)
            continue;
        LIST_EACH (&s->uses, use)
            move_some(r, CONTAINER_OF(use, struct world_server, in_uses), SERVER_MOVE_DEAD, false,
                      now);
    }
}

static void leave_leaving(struct registry *r, struct moment now)
{
    LIST_EACH (&r->servers.leaving, it) {
        struct world_server *at = CONTAINER_OF(it, struct world_server, in_leaving);
        bool out = !at->draining && choose(at->world, (struct span){0}, server_takes_rooms) == NULL;
        move_some(r, at, SERVER_MOVE_LEAVING, out, now);
    }
}

void assignment_begin(struct registry *r, struct room *room)
{
    struct world_server *at = choose_new(room->world, room->name);

    (void)r;
    if (at != NULL)
        assignment_go(room, ASSIGNMENT_SET, at, NULL);
}

enum err assignment_restore(struct registry *r, struct room *room, struct span server,
                            struct span next, bool closing, struct moment now)
{
    struct world_server *at = NULL, *to = NULL;

    if (server.len > 0 && (at = servers_expect(r, room->world, server, now)) == NULL)
        return ERR_SYNTAX;
    if (next.len > 0 && (to = servers_expect(r, room->world, next, now)) == NULL)
        return ERR_SYNTAX;
    room->assignment.closing_ms = now.mono_ms;
    if (closing)
        assignment_go(room, ASSIGNMENT_CLOSING, at, to);
    else if (at != NULL)
        assignment_go(room, ASSIGNMENT_SET, at, NULL);
    return ERR_OK;
}

void assignment_init(struct room *room)
{
    room->assignment = (struct assignment){.state = ASSIGNMENT_NONE};
    link_room(room);
}

void assignment_end(struct room *room)
{
    unlink_room(room);
    count(&room->assignment, NULL, NULL);
}

struct span assignment_origin(const struct room *room)
{
    return origin_of(room->assignment.server);
}

enum err room_move(struct registry *r, struct room *room, struct world_server *to,
                   struct moment now)
{
    struct assignment *a = &room->assignment;

    if (!is_up(to))
        return ERR_DENIED;
    if (a->state == ASSIGNMENT_CLOSING ? a->next == to : a->server == to)
        return ERR_EXISTS;
    if (a->state != ASSIGNMENT_CLOSING) {
        start_move(r, room, to, SERVER_MOVE_ASKED, now);
        return ERR_OK;
    }
    count(a, a->server, to);
    r->watch.room_changed(r->watch.ctx, room, ROOM_SERVER);
    return ERR_OK;
}

void assignments_tick(struct registry *r, struct moment now)
{
    finish_moves(r, now);
    leave_dead(r, now);
    leave_leaving(r, now);
    LIST_EACH (&r->world_list, it)
        assign_some(r, CONTAINER_OF(it, struct world, node), now);
}
