/* A pair of connections, and the dial that comes before it. The client's connection stays with the
 * HTTP server until a world has answered the dial, so that a failure can be told in HTTP. */
#include "common/net/tunnel.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/dial.h"

enum { TUNNEL_CONNECT_MS = 3000, TUNNEL_HIGH_WATER = 256 * 1024 };

struct tunnel {
    struct responder responder;
    struct list node;
    struct tunnels *all;
    const struct url_origin *(*next)(void *ctx);
    void *ctx;
    const struct url_origin *world; /* being tried, then used */
    struct buf head;

    struct http_exchange *x; /* while dialling */
    struct dial dial;
    struct timer deadline; /* of the dial */
    struct conn client, upstream;
    bool too_slow; /* the dial */
    bool client_ended, upstream_ended;
};

static void try_next(struct tunnel *t);

static void tunnel_free(struct tunnel *t)
{
    list_remove(&t->node);
    wheel_cancel(loop_wheel(t->all->loop), &t->deadline);
    dial_cancel(&t->dial);
    t->all->stats->now--;
    buf_clear(&t->head);
    free(t->ctx);
    free(t);
}

/* ---- bytes */

static void pass_on(struct tunnel *t, struct conn *from, struct conn *to, struct span data)
{
    t->all->stats->bytes += data.len;
    conn_write_span(to, data);
    if (conn_is_full(to))
        conn_pause(from, CONN_PAUSE_LINK);
}

static void end_when_both_did(struct tunnel *t)
{
    if (t->client_ended && t->upstream_ended)
        tunnel_free(t);
}

static void client_data(struct conn *c, char *data, size_t len)
{
    struct tunnel *t = CONTAINER_OF(c, struct tunnel, client);
    pass_on(t, c, &t->upstream, span_of(data, len));
}

static void client_drained(struct conn *c)
{
    conn_resume(&CONTAINER_OF(c, struct tunnel, client)->upstream, CONN_PAUSE_LINK);
}

static void client_closed(struct conn *c, enum conn_end end)
{
    struct tunnel *t = CONTAINER_OF(c, struct tunnel, client);
    (void)end;
    t->client_ended = true;
    conn_close(&t->upstream);
    end_when_both_did(t);
}

static const struct conn_ops client_ops = {
    .data = client_data,
    .drained = client_drained,
    .closed = client_closed,
};

static void upstream_connected(struct conn *c);
static void upstream_closed(struct conn *c, enum conn_end end);

static void upstream_data(struct conn *c, char *data, size_t len)
{
    struct tunnel *t = CONTAINER_OF(c, struct tunnel, upstream);
    pass_on(t, c, &t->client, span_of(data, len));
}

static void upstream_drained(struct conn *c)
{
    conn_resume(&CONTAINER_OF(c, struct tunnel, upstream)->client, CONN_PAUSE_LINK);
}

static const struct conn_ops upstream_ops = {
    .connected = upstream_connected,
    .data = upstream_data,
    .drained = upstream_drained,
    .closed = upstream_closed,
};

/* ---- the dial */

static void upstream_connected(struct conn *c)
{
    struct tunnel *t = CONTAINER_OF(c, struct tunnel, upstream);
    struct http_exchange *x = t->x;
    wheel_cancel(loop_wheel(t->all->loop), &t->deadline);
    t->x = NULL;
    x->user = NULL;
    t->all->stats->opened++;
    c->high_water = TUNNEL_HIGH_WATER;
    conn_write_span(c, buf_span(&t->head));
    conn_write(c, "Host: ", 6);
    conn_write_span(c, span_str(t->world->text));
    conn_write(c, "\r\n\r\n", 4);
    buf_clear(&t->head);
    http_exchange_detach(x, &t->client, &client_ops);
    t->client.high_water = TUNNEL_HIGH_WATER;
}

static void upstream_closed(struct conn *c, enum conn_end end)
{
    struct tunnel *t = CONTAINER_OF(c, struct tunnel, upstream);
    (void)end;
    if (t->x != NULL) {
        if (t->too_slow || !dial_next(&t->dial))
            try_next(t);
        return;
    }
    t->upstream_ended = true;
    if (!t->client_ended)
        conn_close(&t->client);
    end_when_both_did(t);
}

static void world_unknown(struct dial *d)
{
    try_next(CONTAINER_OF(d, struct tunnel, dial));
}

static void deadline_fired(struct timer *timer, int64_t now)
{
    struct tunnel *t = CONTAINER_OF(timer, struct tunnel, deadline);
    (void)now;
    if (t->dial.resolve != NULL) {
        dial_cancel(&t->dial);
        try_next(t);
        return;
    }
    t->too_slow = true;
    conn_abort(&t->upstream); /* goes on in upstream_closed */
}

static void refuse(struct tunnel *t)
{
    struct http_exchange *x = t->x;
    x->user = NULL;
    t->all->stats->failures++;
    tunnel_free(t);
    http_respond(x, 502, SPAN("Content-Type: application/json\r\n"),
                 SPAN("{\"error\":\"No world can be reached\"}"));
}

static void try_next(struct tunnel *t)
{
    struct loop *l = t->all->loop;
    t->world = t->next(t->ctx);
    if (t->world == NULL) {
        refuse(t);
        return;
    }
    t->too_slow = false;
    t->dial = (struct dial){0};
    t->upstream = (struct conn){0};
    dial_start(&t->dial, l, t->world, &t->upstream, &upstream_ops, world_unknown);
    wheel_set(loop_wheel(l), &t->deadline, loop_now(l) + TUNNEL_CONNECT_MS);
}

/* The client went away before the dial was done. */
static void client_gone(struct responder *r)
{
    struct tunnel *t = CONTAINER_OF(r, struct tunnel, responder);
    t->x = NULL;
    t->client_ended = true;
    wheel_cancel(loop_wheel(t->all->loop), &t->deadline);
    if (t->dial.resolve == NULL)
        conn_abort(&t->upstream); /* goes on in upstream_closed */
    else
        tunnel_free(t);
}

static void nothing_to_do(struct responder *r)
{
    (void)r;
}

static void ignore_body(struct responder *r, struct span part)
{
    (void)r;
    (void)part;
}

static const struct responder_ops dial_ops = {
    .body = ignore_body,
    .complete = nothing_to_do,
    .drained = nothing_to_do,
    .gone = client_gone,
};

void tunnels_init(struct tunnels *all, struct loop *l, struct tunnel_stats *stats)
{
    *all = (struct tunnels){.loop = l, .stats = stats};
    list_init(&all->all);
}

void tunnel_start(struct tunnels *all, struct http_exchange *x, struct buf *head,
                  const struct url_origin *(*next)(void *ctx), void *ctx)
{
    struct tunnel *t = xcalloc(1, sizeof *t);
    *t = (struct tunnel){
        .responder.ops = &dial_ops,
        .all = all,
        .next = next,
        .ctx = ctx,
        .head = *head,
        .x = x,
        .deadline.fire = deadline_fired,
    };
    *head = (struct buf){0};
    list_push(&all->all, &t->node);
    all->stats->now++;
    x->user = &t->responder;
    try_next(t);
}

void tunnels_abort(struct tunnels *all)
{
    LIST_EACH_SAFE (&all->all, it, next) {
        struct tunnel *t = CONTAINER_OF(it, struct tunnel, node);
        if (t->x == NULL) {
            conn_abort(&t->client);
            conn_abort(&t->upstream);
        } else {
            client_gone(&t->responder);
        }
    }
}
