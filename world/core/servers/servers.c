/* The records of room servers. How they are is health.c's, what they cause assignment.c's. */
#include "world/core/servers/servers.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/proto/origins.h"
#include "world/core/record.h"

const char *const server_move_names[SERVER_MOVE_COUNT + 1] = {
    [SERVER_MOVE_DEAD] = "dead",
    [SERVER_MOVE_LEAVING] = "leaving",
    [SERVER_MOVE_ASKED] = "asked",
};

/* The one spelling of an origin. ERR_SYNTAX: it is none. */
static enum err spell(struct span text, struct buf *out)
{
    struct url_origin o;

    if (text.len > ORDERS_URL_MAX || url_origin_parse(text, &o) != ERR_OK)
        return ERR_SYNTAX;
    url_origin_add(out, &o);
    url_origin_clear(&o);
    return ERR_OK;
}

static struct room_server *server_get(struct registry *r, struct span origin)
{
    struct servers *all = &r->servers;
    struct room_server *s = map_get(&all->by_origin, origin);

    if (s != NULL)
        return s;
    s = xcalloc(1, sizeof(*s));
    s->origin = span_copy(origin);
    s->self = slots_add(&all->handles, s);
    list_init(&s->standing);
    list_init(&s->uses);
    map_add(&all->by_origin, s->origin, s);
    list_push(&all->list, &s->node);
    all->count++;
    all->states[s->state]++;
    return s;
}

static void server_free(struct servers *all, struct room_server *s)
{
    assert(list_empty(&s->uses));
    while (!list_empty(&s->standing))
        list_remove(list_first(&s->standing));
    (void)slots_remove(&all->handles, s->self);
    map_remove(&all->by_origin, s->origin);
    list_remove(&s->node);
    all->count--;
    all->states[s->state]--;
    span_free(s->origin);
    free(s);
}

static bool is_listed(const struct world_server *at)
{
    return at->registered || at->server->configured;
}

/* What an operator says of it has changed. */
static void set(struct registry *r, struct world_server *at, bool registered, bool draining)
{
    at->registered = registered;
    at->draining = draining;
    list_remove(&at->in_leaving);
    if (!server_takes_rooms(at))
        list_push(&r->servers.leaving, &at->in_leaving);
}

static struct world_server *enter(struct registry *r, struct world *w, struct room_server *s)
{
    struct world_server *at = xcalloc(1, sizeof(*at));

    at->server = s;
    at->world = w;
    at->serial = ++r->last_serial;
    list_init(&at->settled);
    list_push(&w->servers, &at->in_world);
    w->change++;
    list_push(&s->uses, &at->in_uses);
    set(r, at, false, false);
    return at;
}

static void leave(struct registry *r, struct world_server *at)
{
    struct room_server *s = at->server;

    assert(at->rooms == 0 && at->awaited == 0);
    list_remove(&at->in_world);
    at->world->change++;
    list_remove(&at->in_uses);
    list_remove(&at->in_leaving);
    free(at);
    if (list_empty(&s->uses) && !s->configured)
        server_free(&r->servers, s);
}

static struct world_server *find(const struct world *w, struct span spelled)
{
    LIST_EACH (&w->servers, it) {
        struct world_server *at = CONTAINER_OF(it, struct world_server, in_world);
        if (span_eq(at->server->origin, spelled))
            return at;
    }
    return NULL;
}

static void keep(struct registry *r, const struct world_server *at)
{
    struct buf value = {0};

    if (at->registered || at->draining) {
        record_add_server(&value, at);
        r->watch.keep(r->watch.ctx, RECORD_SERVER, at->world, at->server->origin, buf_span(&value));
    } else {
        r->watch.forget(r->watch.ctx, RECORD_SERVER, at->world, at->server->origin);
    }
    buf_clear(&value);
    at->world->change++;
    r->watch.timer_set(r->watch.ctx); /* rooms may go or come */
}

void servers_init(struct servers *all)
{
    list_init(&all->list);
    list_init(&all->leaving);
    list_init(&all->closing);
}

void servers_configure(struct registry *r, struct span list)
{
    struct origins origins;
    struct span bad;
    enum err e = origins_parse(&origins, list, &bad);

    assert(e == ERR_OK && r->world_count == 0);
    for (size_t i = 0; i < origins.count; i++) {
        struct buf text = {0};
        url_origin_add(&text, &origins.list[i]);
        server_get(r, buf_span(&text))->configured = true;
        buf_clear(&text);
    }
    origins_clear(&origins);
}

void servers_clear(struct servers *all)
{
    for (struct list *it; (it = list_first(&all->list)) != NULL;)
        server_free(all, CONTAINER_OF(it, struct room_server, node));
    map_clear(&all->by_origin);
    slots_clear(&all->handles);
}

void servers_enter(struct registry *r, struct world *w)
{
    list_init(&w->servers);
    list_init(&w->unassigned);
    LIST_EACH (&r->servers.list, it) {
        struct room_server *s = CONTAINER_OF(it, struct room_server, node);
        if (s->configured)
            (void)enter(r, w, s);
    }
}

void servers_leave(struct registry *r, struct world *w)
{
    for (struct list *it; (it = list_first(&w->servers)) != NULL;)
        leave(r, CONTAINER_OF(it, struct world_server, in_world));
}

struct world_server *servers_find(const struct world *w, struct span origin)
{
    struct world_server *at = NULL;
    struct buf text = {0};

    if (w != NULL && spell(origin, &text) == ERR_OK)
        at = find(w, buf_span(&text));
    buf_clear(&text);
    return at;
}

bool server_takes_rooms(const struct world_server *at)
{
    return is_listed(at) && !at->draining;
}

bool servers_lists(const struct registry *r, const struct world *w, struct span origin)
{
    struct buf text = {0};
    const struct world_server *at = w == NULL ? NULL : servers_find(w, origin);
    const struct room_server *s = NULL;

    if (w == NULL && spell(origin, &text) == ERR_OK)
        s = map_get(&r->servers.by_origin, buf_span(&text));
    buf_clear(&text);
    return (at != NULL && is_listed(at)) || (s != NULL && s->configured);
}

size_t servers_listed(const struct registry *r, const struct world *w)
{
    size_t count = 0;

    if (w == NULL) {
        LIST_EACH (&r->servers.list, it)
            count += CONTAINER_OF(it, struct room_server, node)->configured;
        return count;
    }
    LIST_EACH (&w->servers, it)
        count += is_listed(CONTAINER_OF(it, struct world_server, in_world));
    return count;
}

struct world_server *servers_expect(struct registry *r, struct world *w, struct span origin,
                                    struct moment now)
{
    struct world_server *at = NULL;
    struct buf text = {0};

    if (spell(origin, &text) == ERR_OK) {
        at = find(w, buf_span(&text));
        if (at == NULL)
            at = enter(r, w, server_get(r, buf_span(&text)));
        if (at->server->probe_ms == 0)
            at->server->probe_ms = now.mono_ms;
    }
    buf_clear(&text);
    return at;
}

enum err servers_add(struct registry *r, struct world *w, struct span origin, struct moment now,
                     struct world_server **out)
{
    struct world_server *at = servers_find(w, origin);

    *out = at;
    if (at != NULL && is_listed(at))
        return ERR_EXISTS;
    if (servers_listed(r, w) >= SERVERS_MAX)
        return ERR_FULL;
    *out = at = servers_expect(r, w, origin, now);
    if (at == NULL)
        return ERR_SYNTAX;
    log_info("server.added", "world=%.*s server=%.*s", SPAN_ARG(w->id),
             SPAN_ARG(at->server->origin));
    set(r, at, true, false);
    keep(r, at);
    return ERR_OK;
}

void servers_remove(struct registry *r, struct world_server *at)
{
    log_info("server.removed", "world=%.*s server=%.*s rooms=%zu", SPAN_ARG(at->world->id),
             SPAN_ARG(at->server->origin), at->rooms);
    set(r, at, false, false);
    keep(r, at);
}

void servers_drain(struct registry *r, struct world_server *at, bool on)
{
    log_info("server.drain", "world=%.*s server=%.*s on=%d rooms=%zu", SPAN_ARG(at->world->id),
             SPAN_ARG(at->server->origin), on, at->rooms);
    set(r, at, at->registered, on);
    keep(r, at);
}

enum err servers_restore(struct registry *r, struct world *w, struct span origin, bool registered,
                         bool draining, struct moment now)
{
    struct world_server *at = servers_expect(r, w, origin, now);

    if (at == NULL)
        return ERR_SYNTAX;
    if (at->registered || at->draining)
        return ERR_EXISTS;
    set(r, at, registered, draining);
    return ERR_OK;
}

void servers_keep(struct registry *r, const struct world *w)
{
    LIST_EACH (&w->servers, it) {
        const struct world_server *at = CONTAINER_OF(it, struct world_server, in_world);
        if (at->registered || at->draining)
            keep(r, at);
    }
}

void servers_tidy(struct registry *r)
{
    LIST_EACH_SAFE (&r->servers.leaving, it, after) {
        struct world_server *at = CONTAINER_OF(it, struct world_server, in_leaving);
        if (is_listed(at) || at->rooms > 0 || at->awaited > 0)
            continue;
        r->watch.forget(r->watch.ctx, RECORD_SERVER, at->world, at->server->origin);
        leave(r, at);
    }
}
