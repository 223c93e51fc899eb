/* Unsent texts. Only messages are written again as they were; joins and leavings follow from who is
 * a client and who is a ghost when the link comes up (replay.c). */
#include "shard/core/recall.h"

#include <stdlib.h>

#include "common/proto/envelope.h"
#include "shard/core/node_state.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"

void recall_keep(struct link *l, struct session *s)
{
    struct session *earlier = map_remove(&l->leaving, session_id(s));
    if (earlier != NULL)
        session_free(earlier);
    map_add(&l->leaving, session_id(s), s);
}

void recall_forget_sent(struct link *l)
{
    struct node *n = l->shard->node;
    if (l->leaving.count > 0 && n->port->link_queued(n->io, l->self) == 0)
        recall_clear(l);
}

/* In whose name a text is said again: a client's or ghost's session, or one that had parted and is
 * a ghost again. NULL: nobody's. */
static struct session *recall_session(struct link *l, struct span id)
{
    struct session *s = session_find(l->shard, id);
    if (s != NULL)
        return s;
    s = map_remove(&l->leaving, id);
    if (s != NULL)
        session_return(s);
    return s;
}

void recall_text(struct link *l, struct span text, int64_t now)
{
    struct node *n = l->shard->node;
    struct envelope_up up = envelope_read_up(text, &n->scratch);
    if (!up.message && !up.disconnected)
        return; /* who is here is told anyway */
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
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(&l->leaving, &at)) != NULL;)
        session_free(e->value);
    map_clear(&l->leaving);
}
