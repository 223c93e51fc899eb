/* Reads requests off a connection, one exchange at a time, and keeps its time. A request that lies
 * whole in one read and is answered at once is never copied. */
#include "common/net/http_conn.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"

/* How much of a body that nobody wants is read so that the connection can be kept. */
enum { DROP_MAX = 64 * 1024 };

static const uint8_t http_next[] = {
    [HTTP_WAITING] = 1u << HTTP_HEAD | 1u << HTTP_BODY | 1u << HTTP_OVER,
    [HTTP_HEAD] = 1u << HTTP_BODY | 1u << HTTP_OVER,
    [HTTP_BODY] = 1u << HTTP_ANSWER | 1u << HTTP_OVER,
    [HTTP_ANSWER] = 1u << HTTP_WAITING | 1u << HTTP_OVER,
    [HTTP_OVER] = 0,
};

static void http_go(struct http_conn *c, enum http_phase to)
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
    http_go(c, HTTP_OVER);
    if (linger)
        conn_linger(&c->conn);
    else
        conn_close(&c->conn);
}

void http_conn_drop(struct http_conn *c)
{
    if (c->phase != HTTP_OVER)
        http_go(c, HTTP_OVER);
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
    http_go(c, HTTP_OVER);
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
    http_go(c, HTTP_WAITING);
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

static void http_body_over(struct http_conn *c)
{
    http_go(c, HTTP_ANSWER);
    if (c->answer == HTTP_ANSWER_COMPLETE)
        http_exchange_over(c);
    else
        c->server->app->complete(c->server->ctx, &c->x);
}

static void http_begin_body(struct http_conn *c)
{
    const struct http_head *h = c->x.head;
    enum http_body_kind kind = HTTP_BODY_NONE;
    if (h->chunked)
        kind = HTTP_BODY_CHUNKED;
    else if (h->content_length > 0)
        kind = HTTP_BODY_LENGTH;
    http_body_start(&c->body, kind, kind == HTTP_BODY_LENGTH ? (uint64_t)h->content_length : 0);
    c->body_bytes = 0;
}

/* A head is here, whole. `behind`: what came with it. */
static void http_begin(struct http_conn *c, const char *head, size_t head_len, struct span behind)
{
    struct http_server *s = c->server;
    enum err e = http_head_parse_request(&s->head, head, head_len);
    if (e != ERR_OK) {
        http_conn_refuse(c, e == ERR_LIMIT ? 431 : 400);
        return;
    }
    uint64_t max = s->limits->body_max;
    if (max != 0 && s->head.content_length > 0 && (uint64_t)s->head.content_length > max) {
        http_conn_refuse(c, 413);
        return;
    }
    c->head_at = head;
    c->head_len = head_len;
    c->x.head = &s->head;
    c->x.user = NULL;
    c->live = true;
    c->told_continue = false;
    c->asked_close = !s->head.keep_alive;
    http_begin_body(c);
    http_go(c, HTTP_BODY);
    c->behind = behind;
    s->app->begin(s->ctx, &c->x);
    if (c->phase != HTTP_BODY)
        return;
    bool awaited = s->head.expect_continue && !c->body.done && behind.len == 0;
    if (awaited && c->answer == HTTP_ANSWER_NONE) {
        c->told_continue = true;
        conn_write_span(&c->conn, SPAN("HTTP/1.1 100 Continue\r\n\r\n"));
    }
    if (c->body.done)
        http_body_over(c);
}

/* The bytes of a head go with the read buffer; an exchange that lives on takes a copy. */
static void http_keep_head(struct http_conn *c)
{
    if (!c->live || c->kept != NULL)
        return;
    const struct http_head *h = c->x.head;
    size_t used = offsetof(struct http_head, headers) + h->header_count * sizeof *h->headers;
    struct http_head *kept = xmalloc(sizeof *kept + c->head_len);
    char *bytes = (char *)(kept + 1);
    memcpy(kept, h, used);
    memcpy(bytes, c->head_at, c->head_len);
    http_head_rebase(kept, c->head_at, bytes);
    buf_clear(&c->head_bytes);
    c->x.head = c->kept = kept;
}

/* ---- reading ---- */

/* What cannot become a request is refused at its first line, not at a timeout. */
static bool is_garbage(const char *data, size_t len)
{
    static const char version[] = " HTTP/1.";
    enum { TAIL_LEN = sizeof " HTTP/1.1\r" - 1 };
    const char *newline = memchr(data, '\n', len);
    if (newline == NULL)
        return data[0] < 'A' || data[0] > 'z';
    return newline - data < TAIL_LEN || newline[-1] != '\r' ||
           memcmp(newline - TAIL_LEN, version, sizeof version - 1) != 0;
}

/* A head that is not whole yet. */
static void http_collect_head(struct http_conn *c, const char *data, size_t len)
{
    if (c->phase == HTTP_WAITING) {
        buf_add(&c->head_bytes, data, len);
        http_go(c, HTTP_HEAD);
        http_conn_expect(c);
    }
    if (is_garbage(c->head_bytes.data, c->head_bytes.len))
        http_conn_refuse(c, 400);
}

/* Answers how many bytes were used. */
static size_t http_take_head(struct http_conn *c, const char *data, size_t len)
{
    if (c->phase == HTTP_WAITING && (data[0] == '\r' || data[0] == '\n'))
        return 1; /* empty lines between requests (RFC 9112 section 2.2) */
    size_t before = c->head_bytes.len, head_len;
    struct span head = span_of(data, len);
    if (before > 0) {
        size_t room = HTTP_HEAD_MAX - before;
        buf_add(&c->head_bytes, data, len < room ? len : room);
        head = buf_span(&c->head_bytes);
    }
    switch (http_head_find(head.ptr, head.len, &c->scanned, &head_len)) {
    case ERR_OK:
        break;
    case ERR_AGAIN:
        http_collect_head(c, data, len);
        return len;
    default:
        http_conn_refuse(c, 431);
        return len;
    }
    size_t used = head_len - before;
    http_begin(c, head.ptr, head_len, span_of(data + used, len - used));
    return used;
}

static size_t http_take_body(struct http_conn *c, const char *data, size_t len)
{
    const struct http_server *s = c->server;
    size_t used;
    struct span part;
    if (http_body_read(&c->body, data, len, &used, &part) != ERR_OK) {
        http_conn_refuse(c, 400);
        return len;
    }
    bool dropping = c->answer == HTTP_ANSWER_COMPLETE;
    c->body_bytes += dropping ? used : part.len;
    if (dropping && c->body_bytes > DROP_MAX) {
        http_conn_over(c, true);
        return len;
    }
    if (!dropping && s->limits->body_max != 0 && c->body_bytes > s->limits->body_max) {
        http_conn_refuse(c, 413);
        return len;
    }
    c->behind = span_of(data + used, len - used);
    if (!dropping && part.len > 0)
        s->app->body(s->ctx, &c->x, part);
    if (c->phase == HTTP_BODY && c->body.done)
        http_body_over(c);
    return used;
}

static void http_on_data(struct conn *conn, char *data, size_t len)
{
    struct http_conn *c = CONTAINER_OF(conn, struct http_conn, conn);
    while (len > 0 && c->phase != HTTP_OVER) {
        if (c->phase == HTTP_ANSWER) /* the next request waits for this answer */
            conn_pause(conn, CONN_PAUSE_CODEC);
        if (conn->pauses != 0) {
            conn_unread(conn, data, len);
            break;
        }
        size_t used =
            c->phase == HTTP_BODY ? http_take_body(c, data, len) : http_take_head(c, data, len);
        data += used;
        len -= used;
    }
    c->behind = (struct span){.ptr = NULL};
    if (c->phase == HTTP_BODY || c->phase == HTTP_ANSWER) {
        http_keep_head(c);
        http_conn_expect(c);
    }
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
    bool reads = c->sent != c->conn.sent;
    c->sent = c->conn.sent;
    if (conn_queued(&c->conn) == 0)
        http_timed_out(c);
    else if (reads)
        http_conn_expect(c);
    else /* our answers are not taken */
        http_conn_drop(c);
}

void http_conn_open(struct http_server *s, int fd)
{
    struct http_conn *c = xcalloc(1, sizeof *c);
    c->server = s;
    c->timer.fire = http_timer_fired;
    c->bury.fn = http_buried;
    c->conn.high_water = s->limits->high_water;
    conn_open(&c->conn, s->loop, fd, &http_conn_ops);
    uint16_t port;
    (void)conn_peer(&c->conn, &c->x.peer, &port);
    list_push(&s->conns, &c->node);
    s->count++;
    size_t max = s->limits->max_connections;
    if (max != 0 && s->count > max)
        http_conn_refuse(c, 503);
    else
        http_conn_expect(c);
}
