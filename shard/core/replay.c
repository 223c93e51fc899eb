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
        link_write_message(l, span_of(w->text, w->len));
        free(w);
        if (session_is_ghost(s) && s->queued == 0)
            session_ghost_leave(s);
    }
}

/* The room hears that it came; then it is waited for. */
static void tell_ghost(struct link *l, struct session *s)
{
    link_tell_connected(l, s, s->last);
    s->awaiting = true;
    l->awaiting++;
}

static void set_wait(struct link *l, int64_t now)
{
    wheel_set(&l->shard->node->wheel, &l->step, now + REPLAY_WAIT_MS);
}

void replay_start(struct link *l, int64_t now)
{
    LIST_EACH (&l->shard->clients, it) {
        struct client *c = CONTAINER_OF(it, struct client, in_shard);
        link_tell_connected(l, c->session, c);
    }
    LIST_EACH (&l->ghosts, it)
        tell_ghost(l, CONTAINER_OF(it, struct session, in_ghosts));
    if (l->awaiting > 0)
        set_wait(l, now);
    replay_advance(l);
}

void replay_ghost(struct session *s, int64_t now)
{
    struct link *l = &s->shard->link;
    if (!link_stands(l)) {
        link_need(l);
        return;
    }
    tell_ghost(l, s);
    set_wait(l, now);
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
    if (link_stands(l) && l->awaiting == 0)
        replay_finish(l);
}

void replay_finish(struct link *l)
{
    assert(link_stands(l));
    LIST_EACH_SAFE (&l->ghosts, it, tmp) {
        struct session *s = CONTAINER_OF(it, struct session, in_ghosts);
        s->awaiting = false;
        if (s->queued == 0)
            session_ghost_leave(s);
    }
    l->awaiting = 0;
    if (l->state == LINK_UP) {
        wheel_cancel(&l->shard->node->wheel, &l->step);
        return;
    }
    replay_backlog(l);
    assert(list_empty(&l->ghosts));
    link_go(l, LINK_UP);
    receipt_await(l, l->up_since_ms + REPLAY_WAIT_MS); /* it is no later than that now */
    pressure_update(l);
}

void replay_interrupt(struct link *l)
{
    LIST_EACH (&l->ghosts, it)
        CONTAINER_OF(it, struct session, in_ghosts)->awaiting = false;
    l->awaiting = 0;
}
