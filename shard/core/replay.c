/* The replay. Nothing of it is remembered but the ghosts' marks: what a link has not heard when it
 * falls, the next one hears. */
#include "shard/core/replay.h"

#include <assert.h>
#include <stdlib.h>

#include "shard/core/client.h"
#include "shard/core/node_state.h"
#include "shard/core/pressure.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"

static void replay_backlog(struct link *l)
{
    for (struct waiting *w; (w = backlog_pop(&l->backlog)) != NULL;) {
        struct session *s = w->session;
        link_write(l, span_of(w->text, w->len));
        free(w);
        if (session_is_ghost(s) && s->queued == 0)
            session_ghost_leave(s);
    }
}

void replay_start(struct link *l, int64_t now)
{
    LIST_EACH (&l->shard->clients, it) {
        struct client *c = CONTAINER_OF(it, struct client, in_shard);
        link_tell_connected(l, c->session, c);
    }
    LIST_EACH (&l->ghosts, it) {
        struct session *s = CONTAINER_OF(it, struct session, in_ghosts);
        link_tell_connected(l, s, s->last);
        s->awaiting = true;
        l->awaiting++;
    }
    if (l->awaiting > 0)
        wheel_set(&l->shard->node->wheel, &l->step, now + REPLAY_WAIT_MS);
    replay_advance(l);
}

void replay_answered(struct session *s)
{
    struct link *l = &s->shard->link;
    if (!s->awaiting)
        return;
    s->awaiting = false;
    l->awaiting--;
    if (s->queued == 0)
        session_ghost_leave(s);
    replay_advance(l);
}

void replay_advance(struct link *l)
{
    if (l->state == LINK_REPLAYING && l->awaiting == 0)
        replay_finish(l);
}

void replay_finish(struct link *l)
{
    assert(l->state == LINK_REPLAYING);
    LIST_EACH_SAFE (&l->ghosts, it, tmp) {
        struct session *s = CONTAINER_OF(it, struct session, in_ghosts);
        s->awaiting = false;
        if (s->queued == 0)
            session_ghost_leave(s);
    }
    l->awaiting = 0;
    replay_backlog(l);
    assert(list_empty(&l->ghosts));
    link_go(l, LINK_UP);
    pressure_update(l);
}

void replay_interrupt(struct link *l)
{
    LIST_EACH (&l->ghosts, it)
        CONTAINER_OF(it, struct session, in_ghosts)->awaiting = false;
    l->awaiting = 0;
}
