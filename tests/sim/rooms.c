/* One list of all who ever were in a room. */
#include "tests/sim/rooms.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/map.h"
#include "common/proto/envelope.h"
#include "common/proto/shard_id.h"
#include "tests/sim/crowd.h"
#include "tests/sim/site.h"

struct guest {
    bool is_shown;
    bool is_left; /* behind by a node that died, and the world knew it to be there */
    struct span room, session;
    struct span key; /* owned; the other two are in it */
};

struct rooms {
    struct sim *sim;
    struct map guests; /* struct guest */
    struct buf scratch, key;
};

struct rooms *rooms_new(struct sim *s)
{
    struct rooms *r = xcalloc(1, sizeof *r);
    r->sim = s;
    return r;
}

void rooms_free(struct rooms *r)
{
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(&r->guests, &at)) != NULL;) {
        struct guest *g = e->value;
        span_free(g->key);
        free(g);
    }
    map_clear(&r->guests);
    buf_clear(&r->scratch);
    buf_clear(&r->key);
    free(r);
}

static struct guest *guest_of(struct rooms *r, struct span room, struct span session)
{
    buf_reset(&r->key);
    buf_addf(&r->key, "%.*s %.*s", SPAN_ARG(room), SPAN_ARG(session));
    struct guest *g = map_get(&r->guests, buf_span(&r->key));
    if (g != NULL)
        return g;
    g = xcalloc(1, sizeof *g);
    g->key = span_copy(buf_span(&r->key));
    g->room = span_slice(g->key, 0, room.len);
    g->session = span_slice(g->key, room.len + 1, g->key.len);
    map_add(&r->guests, g->key, g);
    return g;
}

void rooms_hear(struct rooms *r, struct span room, struct span text)
{
    struct envelope_up up = envelope_read_up(text, &r->scratch);
    struct guest *g = guest_of(r, room, up.client);
    g->is_shown = !up.disconnected;
    g->is_left = g->is_left && g->is_shown;
}

void rooms_lose_node(struct rooms *r, const struct station *st)
{
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(&r->guests, &at)) != NULL;) {
        struct guest *g = e->value;
        if (g->is_shown && site_knows(r->sim->site, span_str(st->id), g->room, g->session))
            g->is_left = true;
    }
}

void rooms_lose_world(struct rooms *r)
{
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(&r->guests, &at)) != NULL;)
        ((struct guest *)e->value)->is_left = false;
}

static bool has_socket(const struct sim *s, const struct guest *g)
{
    for (int i = 0; i < s->plan.nodes; i++) {
        LIST_EACH (&s->fleet->stations[i].sockets, it) {
            const struct socket *socket = CONTAINER_OF(it, struct socket, node);
            const struct client *c = &s->crowd->clients[socket->client];
            if (!socket->passes && span_eq(g->session, span_str(c->session)) &&
                span_eq(g->room, shard_id_parse(span_str(socket->shard)).room))
                return true;
        }
    }
    return false;
}

void rooms_check(const struct rooms *r)
{
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(&r->guests, &at)) != NULL;) {
        const struct guest *g = e->value;
        if (g->is_shown && g->is_left && !has_socket(r->sim, g))
            sim_fail(r->sim, "%.*s is shown in %.*s, and died with its node", SPAN_ARG(g->session),
                     SPAN_ARG(g->room));
    }
}
