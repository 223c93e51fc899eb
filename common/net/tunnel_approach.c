/* What the server that is tried says, and what the client does meanwhile. */
#include "common/net/tunnel_inside.h"

#include "common/base/log.h"
#include "common/proto/hop.h"

/* ---- the server being tried */

static void wire_connected(struct http_wire *w)
{
    struct tunnel *t = CONTAINER_OF(w, struct approach, wire)->tunnel;
    tunnel_expect_within(t, t->all->answer_ms);
    http_wire_await(w, false);
    conn_write_span(&w->conn, buf_span(&t->way->head));
    conn_write_span(&w->conn, SPAN("Host: "));
    conn_write_span(&w->conn, span_str(t->way->origin.text));
    conn_write_span(&w->conn, SPAN("\r\n\r\n"));
}

static void wire_head(struct http_wire *w, const struct http_head *h)
{
    struct tunnel *t = CONTAINER_OF(w, struct approach, wire)->tunnel;
    struct buf lines = {0};
    bool misdirected = h->status == 421 && !t->all->keeps_421;
    if (misdirected || t->way->is_late) {
        t->way->why = misdirected ? TUNNEL_MISDIRECTED : TUNNEL_DENIED;
        buf_add_span(&t->way->reason, http_head_get(h, SPAN("x-terrane-reason")));
        http_wire_abort(w, ERR_DENIED); /* goes on in wire_gone */
        return;
    }
    tunnel_go(t, TUNNEL_ANSWERING);
    tunnel_expect_within(t, t->all->answer_ms);
    hop_add_answer(&lines, h);
    http_respond_begin(t->way->x, h->status, buf_span(&lines), h->content_length);
    buf_clear(&lines);
}

static void wire_body(struct http_wire *w, struct span part)
{
    struct tunnel *t = CONTAINER_OF(w, struct approach, wire)->tunnel;
    http_respond_part(t->way->x, part);
    if (http_exchange_is_full(t->way->x)) {
        tunnel_expect_nothing(t);
        conn_pause(&w->conn, CONN_PAUSE_LINK);
    } else {
        tunnel_expect_within(t, t->all->answer_ms);
    }
}

static void wire_end(struct http_wire *w, bool reusable)
{
    struct tunnel *t = CONTAINER_OF(w, struct approach, wire)->tunnel;
    struct http_exchange *x = tunnel_let_go(t);
    (void)reusable;
    tunnel_give_up(t, TUNNEL_ANSWERED);
    http_respond_end(x);
}

static void wire_drained(struct http_wire *w)
{
    (void)w;
}

/* The server's 101 fits what the client has been told already. */
static bool fits_late(const struct approach *w, struct span head)
{
    struct http_head h;
    if (http_head_parse_response(&h, head.ptr, head.len) != ERR_OK ||
        !ws_handshake_answered(&h, span_of(w->key, sizeof w->key)))
        return false;
    struct span protocol = http_head_get(&h, SPAN("sec-websocket-protocol"));
    return protocol.ptr == NULL || span_eq(protocol, span_str(w->protocol));
}

static void start_pipe(struct tunnel *t, struct span head, struct span behind)
{
    struct approach *w = t->way;
    struct buf told = {0};
    struct http_head h;
    bool adds = w->protocol != NULL && http_head_parse_response(&h, head.ptr, head.len) == ERR_OK &&
                http_head_count(&h, SPAN("sec-websocket-protocol")) == 0;
    if (adds) {
        buf_add(&told, head.ptr, head.len - 2); /* without the blank line */
        buf_addf(&told, "Sec-WebSocket-Protocol: %s\r\n\r\n", w->protocol);
        head = buf_span(&told);
    }
    pipe_start(&t->pipe, &t->all->pipes, tunnel_let_go(t), &w->wire.conn, head, behind);
    buf_clear(&told);
}

static void wire_upgraded(struct http_wire *w, struct span head, struct span behind)
{
    struct tunnel *t = CONTAINER_OF(w, struct approach, wire)->tunnel;
    if (t->way->is_late && !fits_late(t->way, head)) {
        t->way->why = TUNNEL_DENIED;
        http_wire_abort(w, ERR_DENIED); /* goes on in wire_gone */
        return;
    }
    struct conn *client = t->way->is_late ? t->ops->client(t->ctx) : NULL;
    if (t->way->is_late && client == NULL) {
        tunnel_give_up(t, TUNNEL_CLIENT_GONE);
        return;
    }
    tunnel_go(t, TUNNEL_OPEN);
    t->all->stats->opened++;
    if (client != NULL)
        pipe_start_late(&t->pipe, &t->all->pipes, client, &w->conn, behind);
    else
        start_pipe(t, head, behind);
    tunnel_approached(t);
    if (t->ops->opened != NULL)
        t->ops->opened(t->ctx);
}

static void wire_gone(struct http_wire *w, enum err why)
{
    struct tunnel *t = CONTAINER_OF(w, struct approach, wire)->tunnel;
    tunnel_expect_nothing(t);
    if (t->state == TUNNEL_ASKING) {
        t->way->fault = http_wire_fault(w, why);
        log_debug("tunnel.failed", "to=%s why=%s", t->way->origin.text, t->way->fault);
        tunnel_go(t, TUNNEL_WAITING);
        t->ops->failed(t->ctx, t, t->way->why);
        return;
    }
    if (t->state == TUNNEL_ANSWERING) {
        t->end = TUNNEL_ANSWERED;
        http_respond_abort(tunnel_let_go(t));
    }
    tunnel_free(t, t->end);
}

const struct http_wire_ops tunnel_wire_ops = {
    .connected = wire_connected,
    .head = wire_head,
    .body = wire_body,
    .end = wire_end,
    .drained = wire_drained,
    .gone = wire_gone,
    .upgraded = wire_upgraded,
};

/* ---- the client, until it is open */

static void client_gone(struct responder *r)
{
    struct tunnel *t = CONTAINER_OF(r, struct approach, responder)->tunnel;
    t->way->x = NULL;
    tunnel_give_up(t, TUNNEL_CLIENT_GONE);
}

static void client_drained(struct responder *r)
{
    struct tunnel *t = CONTAINER_OF(r, struct approach, responder)->tunnel;
    tunnel_expect_within(t, t->all->answer_ms);
    conn_resume(&t->way->wire.conn, CONN_PAUSE_LINK);
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

const struct responder_ops tunnel_request_ops = {
    .body = ignore_body,
    .complete = nothing_to_do,
    .drained = client_drained,
    .gone = client_gone,
};
