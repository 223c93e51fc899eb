/* Bytes between two connections, and the one frame of ours among them. How the two came together is
 * the owner's. */
#include "common/net/pipe.h"

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/net/socket.h"

enum {
    PIPE_HIGH_WATER = 256 * 1024,
    UPSTREAM_DEAD_MS = 15000, /* a host that vanished without a word */
};

static void end_when_both_did(struct pipe *p)
{
    if (!p->client_ended || !p->upstream_ended)
        return;
    wheel_cancel(loop_wheel(p->loop), &p->settle);
    wheel_cancel(loop_wheel(p->loop), &p->deadline);
    p->ended(p);
}

static void pass_on(struct pipe *p, struct conn *from, struct conn *to, struct span data)
{
    *p->bytes += data.len;
    conn_write_span(to, data);
    if (conn_is_full(to))
        conn_pause(from, CONN_PAUSE_LINK);
}

/* ---- the close frame */

static void write_close(struct conn *to, uint16_t code, struct span reason, const uint8_t mask[4])
{
    uint8_t head[WS_HEAD_MAX];
    char payload[WS_CONTROL_MAX];
    size_t len = ws_encode_close(payload, code, reason);
    if (mask != NULL)
        ws_mask(payload, payload, len, mask, 0);
    conn_write(to, head, ws_encode_head(head, WS_CLOSE, len, mask));
    conn_write(to, payload, len);
}

static void close_upstream(struct pipe *p)
{
    uint8_t mask[4];
    if (ws_skim_at_boundary(&p->up) && !p->up.closed) {
        rng_bytes(mask, sizeof mask);
        write_close(&p->upstream, WS_CODE_GOING_AWAY, SPAN(""), mask);
    }
    conn_close(&p->upstream);
}

/* The client has said its close, or nothing that we can read. */
static bool client_is_done(const struct pipe *p)
{
    return p->up.lost || (p->up.closed && ws_skim_at_boundary(&p->up));
}

/* `down` stands at a boundary, or is lost. */
static void tell_client(struct pipe *p)
{
    p->told = true;
    if (!p->down.lost && !p->down.closed)
        write_close(&p->client, p->code, p->reason, NULL);
    close_upstream(p);
    if (p->down.lost || client_is_done(p))
        conn_close(&p->client);
    else {
        conn_resume(&p->client, CONN_PAUSE_LINK);
        conn_resume(&p->client, CONN_PAUSE_CODEC);
    }
}

static void settled(struct timer *t, int64_t now)
{
    struct pipe *p = CONTAINER_OF(t, struct pipe, settle);
    (void)now;
    if (p->client_ended || p->upstream_ended)
        return;
    p->closing = true;
    if (p->down.lost || ws_skim_at_boundary(&p->down))
        tell_client(p);
}

static void close_took_too_long(struct timer *t, int64_t now)
{
    (void)now;
    pipe_abort(CONTAINER_OF(t, struct pipe, deadline));
}

/* ---- the client's side */

static void client_data(struct conn *c, char *data, size_t len)
{
    struct pipe *p = CONTAINER_OF(c, struct pipe, client);
    ws_skim(&p->up, span_of(data, len));
    if (!p->told)
        pass_on(p, c, &p->upstream, span_of(data, len));
    else if (client_is_done(p))
        conn_close(c);
}

static void client_drained(struct conn *c)
{
    conn_resume(&CONTAINER_OF(c, struct pipe, client)->upstream, CONN_PAUSE_LINK);
}

static void client_closed(struct conn *c, enum conn_end end)
{
    struct pipe *p = CONTAINER_OF(c, struct pipe, client);
    (void)end;
    p->client_ended = true;
    if (!p->upstream_ended)
        conn_close(&p->upstream);
    end_when_both_did(p);
}

static const struct conn_ops client_ops = {
    .data = client_data,
    .drained = client_drained,
    .closed = client_closed,
};

/* ---- upstream's side */

static void upstream_data(struct conn *c, char *data, size_t len)
{
    struct pipe *p = CONTAINER_OF(c, struct pipe, upstream);
    struct span all = span_of(data, len);
    if (p->told)
        return;
    if (p->closing)
        all.len = ws_skim_frame(&p->down, all);
    else
        ws_skim(&p->down, all);
    pass_on(p, c, &p->client, all);
    if (p->closing && (p->down.lost || ws_skim_at_boundary(&p->down)))
        tell_client(p);
}

static void upstream_drained(struct conn *c)
{
    conn_resume(&CONTAINER_OF(c, struct pipe, upstream)->client, CONN_PAUSE_LINK);
}

static void upstream_closed(struct conn *c, enum conn_end end)
{
    struct pipe *p = CONTAINER_OF(c, struct pipe, upstream);
    (void)end;
    p->upstream_ended = true;
    if (!p->client_ended && !p->told)
        conn_close(&p->client);
    end_when_both_did(p);
}

static const struct conn_ops upstream_ops = {
    .data = upstream_data,
    .drained = upstream_drained,
    .closed = upstream_closed,
};

void pipe_start(struct pipe *p, struct loop *l, struct http_exchange *x, struct conn *upstream,
                struct span head, struct span behind, uint64_t *bytes,
                void (*ended)(struct pipe *p))
{
    p->loop = l;
    p->bytes = bytes;
    p->ended = ended;
    p->settle.fire = settled;
    p->deadline.fire = close_took_too_long;
    http_exchange_detach(x, &p->client, &client_ops);
    conn_move(&p->upstream, upstream, &upstream_ops);
    p->client.high_water = p->upstream.high_water = PIPE_HIGH_WATER;
    socket_set_dead_after(p->upstream.fd, UPSTREAM_DEAD_MS);
    *bytes += head.len;
    conn_write_span(&p->client, head);
    conn_unread(&p->upstream, behind.ptr, behind.len);
}

void pipe_close(struct pipe *p, uint16_t code, struct span reason)
{
    if (p->ending || p->client_ended || p->upstream_ended)
        return;
    p->ending = true;
    p->code = code;
    p->reason = reason;
    conn_pause(&p->client, CONN_PAUSE_CODEC);
    wheel_set(loop_wheel(p->loop), &p->settle, loop_now(p->loop) + PIPE_SETTLE_MS);
    wheel_set(loop_wheel(p->loop), &p->deadline, loop_now(p->loop) + PIPE_CLOSE_MS);
}

void pipe_abort(struct pipe *p)
{
    if (!p->client_ended)
        conn_abort(&p->client);
    if (!p->upstream_ended)
        conn_abort(&p->upstream);
}
