/* Unsent texts. Only messages are written again as they were; joins and leavings follow from who is
 * a client and who is a ghost when the link comes up (replay.c). */
#include "shard/core/recall.h"

#include <stdlib.h>

#include "common/proto/envelope.h"
#include "shard/core/node_state.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"

/* Takes it out of those that are kept. */
static void recall_release(struct link *l, struct session *s)
{
    (void)map_remove(&l->leaving, session_id(s));
    list_remove(&s->in_ghosts);
}

void recall_keep(struct link *l, struct session *s)
{
    struct session *earlier = map_get(&l->leaving, session_id(s));
    if (earlier != NULL) {
        recall_release(l, earlier);
        session_free(earlier);
    }
    s->parted_at = l->written;
    map_add(&l->leaving, session_id(s), s);
    list_push(&l->leaving_order, &s->in_ghosts);
}

void recall_forget_sent(struct link *l)
{
    struct node *n = l->shard->node;
    if (list_empty(&l->leaving_order))
        return;
    /* What is queued counts framing too, so this errs on the side of keeping. */
    size_t queued = n->port->link_queued(n->io, l->self);
    for (struct list *first; (first = list_first(&l->leaving_order)) != NULL;) {
        struct session *s = CONTAINER_OF(first, struct session, in_ghosts);
        if (s->parted_at + queued > l->written)
            return;
        recall_release(l, s);
        session_free(s);
    }
}

/* In whose name a text is said again: a client's or ghost's session, or one that had parted and is
 * a ghost again. NULL: nobody's. */
static struct session *recall_session(struct link *l, struct span id)
{
    struct session *s = session_find(l->shard, id);
    if (s != NULL)
        return s;
    s = map_get(&l->leaving, id);
    if (s == NULL)
        return NULL;
    recall_release(l, s);
    session_return(s);
    return s;
}

void recall_text(struct link *l, struct span text, int64_t now)
{
    struct node *n = l->shard->node;
    struct envelope_up up = envelope_read_up(text, &n->scratch);
    if (!up.message && !up.disconnected)
        return; /* who is here is told anyway */
    l->receipt.came_back += up.message ? text.len : 0;
    struct session *s = recall_session(l, up.client);
    if (s != NULL && up.message)
        backlog_add(&l->unsent, s, text, now);
    else if (up.message)
        n->stats.link_lost_bytes += text.len;
}

void recall_finish(struct link *l)
{
    backlog_put_back(&l->backlog, &l->unsent);
    recall_clear(l);
}

void recall_clear(struct link *l)
{
    LIST_EACH_SAFE (&l->leaving_order, it, tmp) {
        list_remove(it);
        session_free(CONTAINER_OF(it, struct session, in_ghosts));
    }
    map_clear(&l->leaving);
}
