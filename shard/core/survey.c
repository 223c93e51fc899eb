/* Numbers that cost less to count when they are asked for than to keep. */
#include "shard/core/survey.h"

#include "shard/core/node_state.h"
#include "shard/core/shard.h"
#include "shard/core/wait.h"

static void count_state(struct survey *out, enum link_state state)
{
    switch (state) {
    case LINK_IDLE:
        out->idle++;
        break;
    case LINK_DIALING:
        out->dialling++;
        break;
    case LINK_REPLAYING:
        out->replaying++;
        break;
    case LINK_UP:
        out->up++;
        break;
    case LINK_WAITING:
        out->waiting++;
        break;
    case LINK_CLOSING:
        out->closing++;
        break;
    }
}

void survey_take(const struct node *n, int64_t now, struct survey *out)
{
    *out = (struct survey){.idle = 0};
    LIST_EACH (&n->shards, it) {
        const struct link *l = &CONTAINER_OF(it, struct shard, in_node)->link;
        int64_t oldest = link_stands(l) ? INT64_MAX : wait_oldest_ms(l);
        count_state(out, l->state);
        out->backlog_bytes += l->backlog.bytes;
        if (link_stands(l))
            out->queued_bytes += n->port->link_queued(n->io, l->self);
        if (oldest < now && (uint64_t)(now - oldest) > out->oldest_wait_ms)
            out->oldest_wait_ms = (uint64_t)(now - oldest);
    }
}
