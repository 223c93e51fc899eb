/* Bytes between two connections, and the one frame of ours among them. How the two came together is
 * the owner's. */
#include "common/net/pipe.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/net/socket.h"

/* A close of ours, while it is under way. */
struct pipe_closing {
    struct pipe *pipe;
    struct timer settle, deadline;
    uint16_t code;
    uint8_t reason_len;
    char reason[WS_CONTROL_MAX];
};

static void note_end(struct pipe *p, enum pipe_end how)
{
    if (p->end == PIPE_OPEN)
        p->end = (uint8_t)how;
}

static void end_when_both_did(struct pipe *p)
{
    struct loop *l = p->kind->loop;
    if (!p->client_ended || !p->upstream_ended)
        return;
    if (p->closing != NULL) {
        wheel_cancel(loop_wheel(l), &p->closing->settle);
        wheel_cancel(loop_wheel(l), &p->closing->deadline);
        free(p->closing);
    }
    p->kind->ended(p, (enum pipe_end)p->end);
}

static void pass_on(struct pipe *p, struct conn *from, struct conn *to, struct span data)
{
    *p->kind->bytes += data.len;
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
    const struct pipe_closing *how = p->closing;
    p->told = true;
    if (!p->down.lost && !p->down.closed)
        write_close(&p->client, how->code, span_of(how->reason, how->reason_len), NULL);
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
    struct pipe *p = CONTAINER_OF(t, struct pipe_closing, settle)->pipe;
    (void)now;
    if (p->client_ended || p->upstream_ended)
        return;
    p->settled = true;
    if (p->down.lost || ws_skim_at_boundary(&p->down))
        tell_client(p);
}

static void close_took_too_long(struct timer *t, int64_t now)
{
    (void)now;
    pipe_abort(CONTAINER_OF(t, struct pipe_closing, deadline)->pipe);
}

/* ---- the client's side */

static void client_data(struct conn *c, char *data, size_t len)
{
    struct pipe *p = CONTAINER_OF(c, struct pipe, client);
    ws_skim(&p->up, span_of(data, len));
    if (p->up.closed)
        note_end(p, PIPE_CLIENT_CLOSED);
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
    note_end(p, PIPE_CLIENT_GONE);
    p->client_ended = true;
    if (!p->upstream_ended)
        conn_linger(&p->upstream);
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
    if (p->settled)
        all.len = ws_skim_frame(&p->down, all);
    else
        ws_skim(&p->down, all);
    if (p->down.closed)
        note_end(p, PIPE_UPSTREAM_CLOSED);
    pass_on(p, c, &p->client, all);
    if (p->settled && (p->down.lost || ws_skim_at_boundary(&p->down)))
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
    note_end(p, PIPE_UPSTREAM_GONE);
    p->upstream_ended = true;
    if (!p->client_ended && !p->told)
        conn_linger(&p->client);
    end_when_both_did(p);
}

static const struct conn_ops upstream_ops = {
    .data = upstream_data,
    .drained = upstream_drained,
    .closed = upstream_closed,
};

static void watch_over(const struct conn *c, unsigned dead_ms)
{
    if (dead_ms > 0)
        socket_set_dead_after(c->fd, dead_ms);
}

/* The client's connection is here. */
static void join(struct pipe *p, struct conn *upstream, struct span behind)
{
    conn_move(&p->upstream, upstream, &upstream_ops);
    p->client.high_water = p->upstream.high_water = p->kind->high_water;
    watch_over(&p->client, p->kind->client_dead_ms);
    watch_over(&p->upstream, p->kind->upstream_dead_ms);
    conn_unread(&p->upstream, behind.ptr, behind.len);
}

void pipe_start(struct pipe *p, const struct pipe_kind *kind, struct http_exchange *x,
                struct conn *upstream, struct span head, struct span behind)
{
    p->kind = kind;
    http_exchange_detach(x, &p->client, &client_ops);
    *kind->bytes += head.len;
    conn_write_span(&p->client, head);
    join(p, upstream, behind);
}

void pipe_start_late(struct pipe *p, const struct pipe_kind *kind, struct conn *client,
                     struct conn *upstream, struct span behind)
{
    p->kind = kind;
    conn_move(&p->client, client, &client_ops);
    join(p, upstream, behind);
    conn_resume(&p->client, CONN_PAUSE_CODEC);
}

void pipe_close(struct pipe *p, uint16_t code, struct span reason)
{
    struct loop *l = p->kind->loop;
    if (p->closing != NULL || p->client_ended || p->upstream_ended)
        return;
    struct pipe_closing *c = xcalloc(1, sizeof *c);
    *c = (struct pipe_closing){
        .pipe = p,
        .settle.fire = settled,
        .deadline.fire = close_took_too_long,
        .code = code,
        .reason_len = (uint8_t)(reason.len < sizeof c->reason ? reason.len : sizeof c->reason),
    };
    if (c->reason_len > 0)
        memcpy(c->reason, reason.ptr, c->reason_len);
    p->closing = c;
    note_end(p, PIPE_OURS);
    conn_pause(&p->client, CONN_PAUSE_CODEC);
    wheel_set(loop_wheel(l), &c->settle, loop_now(l) + PIPE_SETTLE_MS);
    wheel_set(loop_wheel(l), &c->deadline, loop_now(l) + PIPE_CLOSE_MS);
}

void pipe_abort(struct pipe *p)
{
    note_end(p, PIPE_OURS);
    if (!p->client_ended)
        conn_abort(&p->client);
    if (!p->upstream_ended)
        conn_abort(&p->upstream);
}
