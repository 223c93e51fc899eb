/* The life of a client connection: its phases, its time, and its ends. */
#include "common/net/http_conn.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/tls.h"

static const uint8_t http_next[] = {
    [HTTP_WAITING] = 1u << HTTP_HEAD | 1u << HTTP_BODY | 1u << HTTP_OVER,
    [HTTP_HEAD] = 1u << HTTP_BODY | 1u << HTTP_OVER,
    [HTTP_BODY] = 1u << HTTP_ANSWER | 1u << HTTP_OVER,
    [HTTP_ANSWER] = 1u << HTTP_WAITING | 1u << HTTP_OVER,
    [HTTP_OVER] = 0,
};

void http_conn_go(struct http_conn *c, enum http_phase to)
{
    assert(http_next[c->phase] >> to & 1);
    c->phase = (uint8_t)to;
}

/* How long the present phase may last without coming forward. */
static int64_t http_patience(const struct http_conn *c)
{
    const struct http_limits *limits = c->server->limits;
    switch ((enum http_phase)c->phase) {
    case HTTP_WAITING:
        return c->served ? limits->idle_ms : limits->header_ms;
    case HTTP_HEAD:
        return limits->header_ms;
    case HTTP_BODY:
        return limits->body_ms;
    case HTTP_ANSWER:
    case HTTP_OVER:
        break;
    }
    return limits->idle_ms;
}

/* The timer may stand earlier than needed: it looks again when it fires. So a request costs no
 * timer. */
void http_conn_expect(struct http_conn *c)
{
    c->since_ms = loop_now(c->server->loop);
    int64_t due = c->since_ms + http_patience(c);
    if (!timer_is_set(&c->timer) || c->timer.due_ms > due)
        wheel_set(loop_wheel(c->server->loop), &c->timer, due);
}

/* ---- ends ---- */

static void http_free_head(struct http_conn *c)
{
    free(c->kept);
    c->kept = NULL;
    buf_clear(&c->head_bytes);
    c->scanned = 0;
    c->head_len = 0;
}

/* The application loses its exchange. */
static void http_gone(struct http_conn *c)
{
    if (!c->live)
        return;
    c->live = false;
    const struct http_server *s = c->server;
    if (!s->freed && s->app->gone != NULL)
        s->app->gone(s->ctx, &c->x);
}

void http_conn_over(struct http_conn *c, bool linger)
{
    http_conn_go(c, HTTP_OVER);
    if (linger)
        conn_linger(&c->conn);
    else
        conn_close(&c->conn);
}

void http_conn_drop(struct http_conn *c)
{
    if (c->phase != HTTP_OVER)
        http_conn_go(c, HTTP_OVER);
    http_gone(c);
    conn_abort(&c->conn);
}

void http_conn_refuse(struct http_conn *c, int status)
{
    const struct http_server *s = c->server;
    log_debug("http.refuse", "status=%d", status);
    switch ((enum http_answer)c->answer) {
    case HTTP_ANSWER_NONE:
        break;
    case HTTP_ANSWER_BEGUN: /* too late to say anything */
        http_conn_drop(c);
        return;
    case HTTP_ANSWER_COMPLETE:
        http_conn_over(c, true);
        return;
    }
    http_conn_write_error(c, status);
    http_conn_over(c, true);
    http_gone(c);
    if (!s->freed && s->app->refused != NULL)
        s->app->refused(s->ctx, status);
}

static void http_buried(struct turn_end *t)
{
    struct http_conn *c = CONTAINER_OF(t, struct http_conn, bury);
    http_free_head(c);
    free(c);
}

void http_conn_bury(struct http_conn *c)
{
    http_conn_go(c, HTTP_OVER);
    c->live = false;
    wheel_cancel(loop_wheel(c->server->loop), &c->timer);
    http_server_forget(c->server, c);
    loop_at_turn_end(c->server->loop, &c->bury);
}

/* ---- one exchange after the other ---- */

/* Answered and read: on to the next request. */
static void http_exchange_over(struct http_conn *c)
{
    http_free_head(c);
    c->served = true;
    c->answer = HTTP_ANSWER_NONE;
    if (!c->keep || c->peer_ended) {
        http_conn_over(c, !c->peer_ended && !c->asked_close); /* others may be sending */
        return;
    }
    http_conn_go(c, HTTP_WAITING);
    if (conn_is_full(&c->conn)) /* it pipelines and does not read */
        conn_pause(&c->conn, CONN_PAUSE_QUEUE);
    conn_resume(&c->conn, CONN_PAUSE_LINK);
    conn_resume(&c->conn, CONN_PAUSE_CODEC);
    http_conn_expect(c);
}

void http_conn_answered(struct http_conn *c)
{
    c->answer = HTTP_ANSWER_COMPLETE;
    c->live = false;
    if (c->phase == HTTP_ANSWER) {
        http_exchange_over(c);
        return;
    }
    if (c->body.done) /* http_body_over follows */
        return;
    if (!c->keep) {
        http_conn_over(c, true);
        return;
    }
    c->body_bytes = 0; /* of the rest, which is dropped */
    conn_resume(&c->conn, CONN_PAUSE_LINK);
}

void http_conn_body_over(struct http_conn *c)
{
    http_conn_go(c, HTTP_ANSWER);
    if (c->answer == HTTP_ANSWER_COMPLETE)
        http_exchange_over(c);
    else
        c->server->app->complete(c->server->ctx, &c->x);
}

static void http_on_data(struct conn *conn, char *data, size_t len)
{
    http_request_read(CONTAINER_OF(conn, struct http_conn, conn), data, len);
}

static void http_on_drained(struct conn *conn)
{
    struct http_conn *c = CONTAINER_OF(conn, struct http_conn, conn);
    const struct http_server *s = c->server;
    conn_resume(conn, CONN_PAUSE_QUEUE);
    if (c->live && c->answer == HTTP_ANSWER_BEGUN && s->app->drained != NULL)
        s->app->drained(s->ctx, &c->x);
}

/* Half a connection is enough to answer what was asked. */
static void http_on_eof(struct conn *conn)
{
    struct http_conn *c = CONTAINER_OF(conn, struct http_conn, conn);
    c->peer_ended = true;
    switch ((enum http_phase)c->phase) {
    case HTTP_ANSWER:
        if (c->needs_peer)
            http_conn_drop(c);
        else
            http_conn_expect(c);
        return;
    case HTTP_WAITING:
    case HTTP_HEAD:
    case HTTP_BODY:
        http_conn_over(c, false);
        http_gone(c);
        return;
    case HTTP_OVER:
        return;
    }
}

static void http_on_closed(struct conn *conn, enum conn_end end)
{
    (void)end;
    struct http_conn *c = CONTAINER_OF(conn, struct http_conn, conn);
    wheel_cancel(loop_wheel(c->server->loop), &c->timer);
    http_gone(c);
    http_server_forget(c->server, c);
    http_free_head(c);
    free(c);
}

static const struct conn_ops http_conn_ops = {
    .data = http_on_data,
    .drained = http_on_drained,
    .closed = http_on_closed,
    .eof = http_on_eof,
};

/* ---- time ---- */

/* The client had its time, and nothing came forward. */
static void http_timed_out(struct http_conn *c)
{
    switch ((enum http_phase)c->phase) {
    case HTTP_WAITING:
        http_conn_over(c, false);
        return;
    case HTTP_HEAD:
        http_conn_refuse(c, 408);
        return;
    case HTTP_BODY:
        if (c->conn.pauses != 0) /* it is we who do not read */
            http_conn_expect(c);
        else
            http_conn_refuse(c, 408);
        return;
    case HTTP_ANSWER:
        if (c->peer_ended)
            http_conn_drop(c);
        else
            http_conn_expect(c); /* the application takes its time */
        return;
    case HTTP_OVER:
        return;
    }
}

static void http_timer_fired(struct timer *t, int64_t now)
{
    struct http_conn *c = CONTAINER_OF(t, struct http_conn, timer);
    int64_t due = c->since_ms + http_patience(c);
    if (c->phase == HTTP_OVER)
        return;
    if (now < due) {
        wheel_set(loop_wheel(c->server->loop), t, due);
        return;
    }
    uint64_t before = c->delivered;
    c->delivered = conn_delivered(&c->conn);
    if (conn_queued(&c->conn) == 0)
        http_timed_out(c);
    else if (c->delivered != before)
        http_conn_expect(c);
    else /* our answers are not taken */
        http_conn_drop(c);
}

void http_conn_open(struct http_server *s, int fd, struct tls_context *tls, const struct addr *peer)
{
    struct http_conn *c = xcalloc(1, sizeof *c);
    c->server = s;
    c->x.peer = *peer;
    c->timer.fire = http_timer_fired;
    c->bury.fn = http_buried;
    c->conn.high_water = s->limits->high_water;
    conn_open(&c->conn, s->loop, fd, &http_conn_ops);
    if (tls != NULL)
        tls_accept(&c->conn, tls);
    c->x.tls = tls != NULL;
    list_push(&s->conns, &c->node);
    s->count++;
    size_t max = s->limits->max_connections;
    if (max != 0 && s->count > max)
        http_conn_refuse(c, 503);
    else
        http_conn_expect(c);
}
