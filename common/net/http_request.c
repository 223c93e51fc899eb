/* Reads requests off a connection: heads, then bodies. A request that lies whole in one read and is
 * answered at once is never copied. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/net/http_conn.h"
#include "common/proto/proxy_header.h"

enum { PROXY_BEGIN = 6 }; /* bytes by which both versions can be told */

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
    c->head_at = head;
    c->head_len = head_len;
    if (e != ERR_OK) {
        http_conn_refuse(c, e == ERR_LIMIT ? 431 : 400);
        return;
    }
    c->body_max =
        s->app->body_max == NULL ? s->limits->body_max : s->app->body_max(s->ctx, &s->head);
    if (c->body_max != 0 && s->head.content_length > 0 &&
        (uint64_t)s->head.content_length > c->body_max) {
        http_conn_refuse(c, 413);
        return;
    }
    trace_take(&c->x.trace, &s->head, (char *)(uintptr_t)head);
    c->x.about = (struct log_about){.trace = c->x.trace.id, .span = c->x.trace.span};
    (void)log_enter(&c->x.about);
    c->x.head = &s->head;
    c->x.user = NULL;
    c->x.begun_us = 0;
    c->x.first = !c->served;
    c->x.last = false;
    c->needs_peer = false;
    c->live = true;
    c->told_continue = false;
    c->asked_close = !s->head.keep_alive;
    http_begin_body(c);
    http_conn_go(c, HTTP_BODY);
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
        http_conn_body_over(c);
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
        http_conn_go(c, HTTP_HEAD);
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
        c->head_at = head.ptr;
        c->head_len = head.len;
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
    if (dropping && c->body_bytes > HTTP_DROP_MAX) {
        http_conn_over(c, true);
        return len;
    }
    if (!dropping && c->body_max != 0 && c->body_bytes > c->body_max) {
        http_conn_refuse(c, 413);
        return len;
    }
    c->behind = span_of(data + used, len - used);
    if (!dropping && part.len > 0)
        s->app->body(s->ctx, &c->x, part);
    if (c->phase == HTTP_BODY && c->body.done)
        http_conn_body_over(c);
    return used;
}

/* The first bytes of a connection are of a load balancer that speaks of its client. */
static void http_look_for_proxy(const struct http_conn *c, const char *data, size_t len)
{
    struct proxy_header h;
    const struct http_server *s = c->server;
    bool first = !c->served && c->phase == HTTP_WAITING && c->head_bytes.len == 0;
    if (!first || len <= PROXY_BEGIN || s->app->proxied == NULL ||
        (memcmp(data, "PROXY ", PROXY_BEGIN) != 0 &&
         memcmp(data, "\r\n\r\n\0\r", PROXY_BEGIN) != 0))
        return;
    enum err e = proxy_header_read(&h, data, len);
    if (e == ERR_OK || e == ERR_AGAIN)
        s->app->proxied(s->ctx, &c->x.peer);
}

void http_request_read(struct http_conn *c, const char *data, size_t len)
{
    struct conn *conn = &c->conn;
    http_look_for_proxy(c, data, len);
    struct log_about *before = log_enter(c->live ? &c->x.about : NULL);
    while (len > 0 && c->phase != HTTP_OVER) {
        if (c->needs_peer && c->phase == HTTP_ANSWER && len > HTTP_EARLY_MAX) {
            http_conn_drop(c);
            break;
        }
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
    (void)log_enter(before);
    c->behind = (struct span){.ptr = NULL};
    if (c->phase == HTTP_BODY || c->phase == HTTP_ANSWER) {
        http_keep_head(c);
        http_conn_expect(c);
    }
}
