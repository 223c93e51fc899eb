/* The way down. A message is framed once, however many sockets it goes to. */
#include "shard/core/deliver.h"

#include "common/proto/envelope.h"
#include "common/proto/ws.h"
#include "shard/core/client.h"
#include "shard/core/node_state.h"
#include "shard/core/replay.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

static struct frame *message_frame(enum ws_opcode opcode, struct span payload)
{
    uint8_t head[WS_HEAD_MAX];
    size_t head_len = ws_encode_head(head, opcode, payload.len, NULL);
    struct frame *f = frame_new(head_len + payload.len);
    frame_add(f, head, head_len);
    frame_add(f, payload.ptr, payload.len);
    return f;
}

static void count_deliveries(struct node *n, size_t count, size_t len)
{
    n->stats.messages_down += count;
    n->stats.bytes_down += count * len;
}

static void deliver_to_all(struct shard *shard, struct span text)
{
    if (list_empty(&shard->clients))
        return;
    struct node *n = shard->node;
    struct frame *f = message_frame(WS_TEXT, text);
    LIST_EACH (&shard->clients, it)
        n->port->client_send(n->io, CONTAINER_OF(it, struct client, in_shard)->self, f);
    frame_unref(f);
    count_deliveries(n, shard_linked(shard), text.len);
}

static void deliver_to_session(struct session *s, const struct envelope *e)
{
    if (session_is_ghost(s)) {
        replay_answered(s);
        return;
    }
    struct node *n = s->shard->node;
    struct frame *f = message_frame(e->binary ? WS_BINARY : WS_TEXT, e->data);
    size_t count = 0;
    LIST_EACH (&s->clients, it) {
        n->port->client_send(n->io, CONTAINER_OF(it, struct client, in_session)->self, f);
        count++;
    }
    frame_unref(f);
    count_deliveries(n, count, e->data.len);
}

static void close_session(struct session *s, int64_t now)
{
    if (session_is_ghost(s)) {
        replay_answered(s);
        return;
    }
    struct shard *shard = s->shard;
    session_close(s, NODE_ROOM_CLOSED, now);
    world_shard_changed(shard);
}

void deliver(struct shard *shard, struct span text, int64_t now)
{
    struct node *n = shard->node;
    struct envelope e = envelope_read(text, n->settings->strict_envelope, &n->scratch);
    struct session *s = NULL;
    if (e.kind == ENVELOPE_TARGETED || e.kind == ENVELOPE_CLOSE) {
        s = session_find(shard, e.client);
        if (s == NULL) {
            n->stats.unknown_target++;
            return;
        }
    }
    switch (e.kind) {
    case ENVELOPE_BROADCAST:
        deliver_to_all(shard, text);
        break;
    case ENVELOPE_TARGETED:
        deliver_to_session(s, &e);
        break;
    case ENVELOPE_CLOSE:
        close_session(s, now);
        shard_changed(shard);
        break;
    case ENVELOPE_DROP:
        n->stats.dropped_from_room++;
        break;
    }
}
