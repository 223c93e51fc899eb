/* Answers: heads, framing, and the ways out of HTTP (upgrade and detach). An answer is written
 * straight into the connection's queue. */
#include <assert.h>

#include "common/base/mem.h"
#include "common/net/http_chunk.h"
#include "common/net/http_conn.h"
#include "common/proto/problem.h"
#include "common/proto/ws_handshake.h"

enum { JOIN_MAX = 4 * 1024 }; /* bodies up to here are written together with their head */

static_assert(offsetof(struct http_conn, x) == 0, "an exchange is its connection");

static struct http_conn *http_conn_of(struct http_exchange *x)
{
    return CONTAINER_OF(x, struct http_conn, x);
}

static const struct http_conn *http_conn_seen(const struct http_exchange *x)
{
    return (const struct http_conn *)(const void *)x;
}

/* ---- heads */

/* Whether another request can follow on the connection. */
static bool http_can_keep(const struct http_conn *c)
{
    const struct http_head *h = c->x.head;
    if (!h->keep_alive || c->server->dismissing || c->peer_ended)
        return false;
    if (c->body.done)
        return true;
    if (h->expect_continue && !c->told_continue) /* nobody knows whether the body will come */
        return false;
    return c->body.kind != HTTP_BODY_LENGTH || c->body.left <= HTTP_DROP_MAX;
}

static void add_status_line(struct buf *b, int status)
{
    if (status == 200) {
        BUF_ADD_LIT(b, "HTTP/1.1 200 OK\r\n");
        return;
    }
    BUF_ADD_LIT(b, "HTTP/1.1 ");
    buf_add_u64(b, (uint64_t)status);
    buf_add_char(b, ' ');
    buf_add_span(b, span_str(http_reason(status)));
    BUF_ADD_LIT(b, "\r\n");
}

static void add_date(struct buf *b, struct http_server *s)
{
    BUF_ADD_LIT(b, "Date: ");
    buf_add_span(b, http_server_date(s));
    BUF_ADD_LIT(b, "\r\n");
}

static void add_length(struct buf *b, uint64_t length)
{
    BUF_ADD_LIT(b, "Content-Length: ");
    buf_add_u64(b, length);
    BUF_ADD_LIT(b, "\r\n");
}

/* Begins the answer and writes its head, up to the blank line, into the scratch buffer.
 * length -1: not known. */
static struct buf *answer_begin(struct http_conn *c, int status, struct span headers,
                                int64_t length)
{
    const struct http_head *h = c->x.head;
    struct buf *b = &c->server->scratch;
    bool no_length = status == 204 || status == 304;
    assert(c->live && c->answer == HTTP_ANSWER_NONE && status >= 200);
    c->answer = HTTP_ANSWER_BEGUN;
    c->no_content = no_length || span_eq(h->method, SPAN("HEAD"));
    c->chunked = length < 0 && h->minor == 1;
    c->until_close = length < 0 && h->minor == 0 && !c->no_content;
    c->answer_left = length < 0 ? 0 : (uint64_t)length;
    bool refused_upgrade = h->upgrade && status >= 400; /* frames may follow already */
    c->keep = http_can_keep(c) && !c->until_close && !refused_upgrade && !c->x.last;
    buf_reset(b);
    add_status_line(b, status);
    add_date(b, c->server);
    if (!c->keep)
        BUF_ADD_LIT(b, "Connection: close\r\n");
    else if (h->minor == 0)
        BUF_ADD_LIT(b, "Connection: keep-alive\r\n");
    if (length >= 0 && !no_length)
        add_length(b, (uint64_t)length);
    else if (c->chunked && !no_length)
        BUF_ADD_LIT(b, "Transfer-Encoding: chunked\r\n");
    buf_add_span(b, headers);
    BUF_ADD_LIT(b, "\r\n");
    return b;
}

/* Of the request that is being read; empty when that much of it has not come. */
static struct span target_of(const struct http_conn *c)
{
    struct span line = buf_span(&c->head_bytes), target;
    if (c->phase == HTTP_BODY)
        return c->x.head->target;
    if (c->head_len > 0)
        line = span_of(c->head_at, c->head_len);
    while (line.len > 0 && (line.ptr[0] == '\r' || line.ptr[0] == '\n'))
        line = span_slice(line, 1, line.len);
    line = span_slice(line, 0, span_index(line, '\n'));
    (void)span_split(&line, ' ', &target);
    return line.ptr != NULL && span_split(&line, ' ', &target) ? target
                                                               : (struct span){.ptr = NULL};
}

static bool tells_problems(const struct http_conn *c)
{
    const struct http_app *app = c->server->app;
    return app->tells_problems != NULL && app->tells_problems(c->server->ctx, target_of(c));
}

void http_conn_write_error(struct http_conn *c, int status)
{
    struct buf *b = &c->server->scratch, body = {.len = 0};
    bool problem = tells_problems(c);
    if (problem)
        problem_open(&body, status, span_str(http_reason(status)),
                     c->phase == HTTP_BODY ? c->x.trace.id : "");
    else
        buf_addf(&body, "{\"error\":\"%s\"", http_reason(status));
    buf_add_char(&body, '}');
    buf_reset(b);
    add_status_line(b, status);
    add_date(b, c->server);
    BUF_ADD_LIT(b, "Connection: close\r\nContent-Type: ");
    buf_add_span(b, problem ? SPAN(PROBLEM_TYPE "\r\n") : SPAN("application/json\r\n"));
    if (status == 503)
        BUF_ADD_LIT(b, "Retry-After: 1\r\n");
    add_length(b, body.len);
    buf_add_span(b, c->server->headers);
    BUF_ADD_LIT(b, "\r\n");
    buf_add_span(b, buf_span(&body));
    conn_write_span(&c->conn, buf_span(b));
    buf_clear(&body);
}

/* ---- answers */

void http_respond(struct http_exchange *x, int status, struct span headers, struct span body)
{
    struct http_conn *c = http_conn_of(x);
    struct buf *b = answer_begin(c, status, headers, (int64_t)body.len);
    bool join = body.len <= JOIN_MAX;
    if (!c->no_content && join)
        buf_add_span(b, body);
    conn_write_span(&c->conn, buf_span(b));
    if (!c->no_content && !join)
        conn_write_span(&c->conn, body);
    http_conn_answered(c);
}

void http_respond_bad_upgrade(struct http_exchange *x, const char *problem)
{
    struct buf body = {.len = 0};
    bool version = problem == WS_HANDSHAKE_BAD_VERSION;
    buf_addf(&body, "{\"error\":\"%s\"}", problem);
    http_respond(x, 400,
                 version ? SPAN("Content-Type: application/json\r\n" WS_HANDSHAKE_VERSIONS)
                         : SPAN("Content-Type: application/json\r\n"),
                 buf_span(&body));
    buf_clear(&body);
}

void http_respond_begin(struct http_exchange *x, int status, struct span headers, int64_t length)
{
    struct http_conn *c = http_conn_of(x);
    const struct buf *b = answer_begin(c, status, headers, length);
    conn_write_span(&c->conn, buf_span(b));
}

void http_respond_part(struct http_exchange *x, struct span part)
{
    struct http_conn *c = http_conn_of(x);
    assert(c->live && c->answer == HTTP_ANSWER_BEGUN);
    http_conn_expect(c);
    if (part.len == 0 || c->no_content)
        return;
    if (c->chunked) {
        http_chunk_write(&c->conn, part);
        return;
    }
    if (!c->until_close) {
        assert(part.len <= c->answer_left);
        c->answer_left -= part.len;
    }
    conn_write_span(&c->conn, part);
}

void http_respond_end(struct http_exchange *x)
{
    struct http_conn *c = http_conn_of(x);
    assert(c->live && c->answer == HTTP_ANSWER_BEGUN);
    if (c->answer_left > 0 && !c->no_content) { /* it was to be longer */
        http_respond_abort(x);
        return;
    }
    if (c->chunked && !c->no_content)
        http_chunk_write(&c->conn, (struct span){.ptr = NULL});
    http_conn_answered(c);
}

void http_respond_abort(struct http_exchange *x)
{
    struct http_conn *c = http_conn_of(x);
    assert(c->live && c->answer == HTTP_ANSWER_BEGUN);
    c->live = false;
    http_conn_over(c, false);
    if (c->until_close) /* where the end of the connection would look like the end of the answer */
        conn_reset(&c->conn);
}

bool http_exchange_is_full(const struct http_exchange *x)
{
    return conn_is_full(&http_conn_seen(x)->conn);
}

void http_exchange_pause(struct http_exchange *x)
{
    conn_pause(&http_conn_of(x)->conn, CONN_PAUSE_LINK);
}

void http_exchange_resume(struct http_exchange *x)
{
    struct http_conn *c = http_conn_of(x);
    http_conn_expect(c);
    conn_resume(&c->conn, CONN_PAUSE_LINK);
}

void http_exchange_needs_peer(struct http_exchange *x, bool needs)
{
    http_conn_of(x)->needs_peer = needs;
}

/* ---- ways out */

/* HTTP holds nothing back any more. */
static void release(struct http_conn *c)
{
    assert(c->live && c->answer == HTTP_ANSWER_NONE);
    conn_resume(&c->conn, CONN_PAUSE_LINK | CONN_PAUSE_QUEUE | CONN_PAUSE_CODEC);
}

void http_exchange_upgrade(struct http_exchange *x, struct ws_conn *w, struct span key,
                           struct span protocol, struct span extensions, const struct ws_ops *ops,
                           const struct ws_settings *settings)
{
    struct http_conn *c = http_conn_of(x);
    struct buf *b = &c->server->scratch;
    release(c);
    buf_reset(b);
    ws_handshake_answer(b, key, protocol, extensions);
    conn_write_span(&c->conn, buf_span(b));
    ws_conn_start(w, &c->conn, true, ops, settings);
    conn_unread(&w->conn, c->behind.ptr, c->behind.len);
    http_conn_bury(c);
}

void http_exchange_detach(struct http_exchange *x, struct conn *to, const struct conn_ops *ops)
{
    struct http_conn *c = http_conn_of(x);
    release(c);
    conn_move(to, &c->conn, ops);
    conn_unread(to, c->behind.ptr, c->behind.len);
    http_conn_bury(c);
}
