/* How room servers are: the probes, and what nodes say of their links, move the state. */
#include <assert.h>

#include "common/base/log.h"
#include "world/core/nodes/nodes.h"
#include "world/core/servers/servers.h"

const char *const server_state_names[SERVER_STATE_COUNT + 1] = {
    [SERVER_UNKNOWN] = "unknown",
    [SERVER_UP] = "up",
    [SERVER_DOWN] = "down",
    [SERVER_DEAD] = "dead",
};

static const uint8_t server_next[SERVER_STATE_COUNT] = {
    [SERVER_UNKNOWN] = 1u << SERVER_UP | 1u << SERVER_DOWN,
    [SERVER_UP] = 1u << SERVER_DOWN,
    [SERVER_DOWN] = 1u << SERVER_UP | 1u << SERVER_DEAD,
    [SERVER_DEAD] = 1u << SERVER_UP,
};

/* The only place that moves the state. */
static void server_go(struct registry *r, struct room_server *s, enum server_state to)
{
    assert(server_next[s->state] & 1u << to);
    log_info("server.state", "server=%.*s from=%s to=%s", SPAN_ARG(s->origin),
             server_state_names[s->state], server_state_names[to]);
    r->servers.states[s->state]--;
    s->state = to;
    r->servers.states[to]++;
    LIST_EACH (&s->uses, it) {
        r->watch.server_changed(r->watch.ctx, CONTAINER_OF(it, struct world_server, in_uses));
    }
}

/* A sign that it lives. */
static void revive(struct registry *r, struct room_server *s)
{
    s->failures = 0;
    if (s->state != SERVER_UP)
        server_go(r, s, SERVER_UP);
}

static void fail(struct registry *r, struct room_server *s, struct moment now)
{
    if (s->failures++ == 0)
        s->failing_ms = now.mono_ms;
    if (s->state == SERVER_UNKNOWN || s->state == SERVER_UP)
        server_go(r, s, SERVER_DOWN);
}

/* Silent nodes do not count: what they said may be long over. */
static bool is_said_to_stand(const struct room_server *s)
{
    LIST_EACH (&s->standing, it) {
        if (CONTAINER_OF(it, struct holding, in_server)->node->state == NODE_ALIVE)
            return true;
    }
    return false;
}

static void probe(struct registry *r, struct room_server *s)
{
    s->probed = true;
    r->servers.probes++;
    r->watch.probe(r->watch.ctx, s->self, s->origin);
}

void servers_probed(struct registry *r, struct handle server, bool good, struct moment now)
{
    struct room_server *s = slots_get(&r->servers.handles, server);

    if (s == NULL || !s->probed)
        return;
    s->probed = false;
    s->probe_ms =
        now.mono_ms + SERVERS_PROBE_MS * 9 / 10 + (int64_t)rng_below(r->rng, SERVERS_PROBE_MS / 5);
    r->servers.failed_probes += !good;
    if (good)
        revive(r, s);
    else
        fail(r, s, now);
}

void servers_hear(struct registry *r, struct holding *h, struct moment now)
{
    struct room_server *s = h->link != BEAT_LINK_UP || h->server.len == 0
                                ? NULL
                                : map_get(&r->servers.by_origin, h->server);

    if (s == h->stands_at)
        return;
    if (h->stands_at != NULL && !h->stands_at->probed)
        h->stands_at->probe_ms = now.mono_ms; /* it may have died */
    list_remove(&h->in_server);
    h->stands_at = s;
    if (s == NULL)
        return;
    list_push(&s->standing, &h->in_server);
    revive(r, s);
}

void servers_tick(struct registry *r, struct moment now)
{
    LIST_EACH (&r->servers.list, it) {
        struct room_server *s = CONTAINER_OF(it, struct room_server, node);
        if (!s->probed && now.mono_ms >= s->probe_ms)
            probe(r, s);
        if (s->state != SERVER_DOWN || s->failures < 2 ||
            now.mono_ms - s->failing_ms < SERVERS_DEAD_MS || is_said_to_stand(s))
            continue;
        s->dead_ms = now.mono_ms;
        server_go(r, s, SERVER_DEAD);
    }
}
