/* The other end of a relay: bench-wsroom PORT. A link that carries x-shard-id speaks envelopes
 * (what a client sends comes back to it as a targeted frame); any other WebSocket is echoed. */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/json.h"
#include "common/proto/json_text.h"
#include "tests/bench/peer.h"

static struct peers peers;
static struct buf reply;
static char mux; /* its address marks links that speak envelopes */

struct up {
    struct span type, private_id, payload;
};

static void on_member(void *ctx, const struct json_member *m)
{
    struct up *up = ctx;
    if (span_eq(m->key, SPAN("type")))
        up->type = m->value;
    else if (span_eq(m->key, SPAN("privateId")))
        up->private_id = m->value;
    else if (span_eq(m->key, SPAN("payload")))
        up->payload = m->value;
}

static void on_opened(struct peer *p, const struct http_head *head)
{
    /* Clients that pass name a room, too. */
    if (http_head_get(head, SPAN("x-shard-id")).ptr != NULL &&
        http_head_get(head, SPAN("x-shard-room-id")).ptr == NULL)
        p->user = &mux;
}

static void on_message(struct peer *p, struct span payload, bool binary)
{
    struct up up = {{0}, {0}, {0}};
    char kind;
    (void)binary;
    if (p->user != &mux) {
        peer_send(&peers, p, payload);
        return;
    }
    if (json_text_members(payload, &kind, on_member, &up) != ERR_OK) {
        (void)fprintf(stderr, "not JSON: %.*s\n", SPAN_ARG(payload));
        exit(1);
    }
    if (!span_eq(up.type, SPAN("\"shard.clientMessage\"")))
        return;
    buf_reset(&reply);
    BUF_ADD_LIT(&reply, "{\"targetClientId\":");
    buf_add_span(&reply, up.private_id);
    BUF_ADD_LIT(&reply, ",\"data\":");
    json_add_string(&reply, up.payload);
    buf_add_char(&reply, '}');
    peer_send(&peers, p, buf_span(&reply));
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    peers_init(&peers);
    peers.opened = on_opened;
    peers.message = on_message;
    int listener = peers_listen(&peers, (uint16_t)strtoul(argv[1], NULL, 10));
    printf("listening\n");
    (void)fflush(stdout);
    for (;;)
        peers_turn(&peers, listener, -1);
}
