/* Pools of client connections, and what their users ask of calls. What becomes of them is
 * http_line's. */
#include "common/net/http_client.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/net/http_line.h"

/* ---- pools */

struct http_pool *http_pool_new(struct loop *l, const struct url_origin *origin,
                                const struct http_pool_settings *settings)
{
    struct http_pool *p = xcalloc(1, sizeof *p);
    p->loop = l;
    p->origin = origin;
    p->settings = settings;
    list_init(&p->idle);
    list_init(&p->busy);
    list_init(&p->shared);
    return p;
}

static void abort_all(struct list *lines)
{
    for (struct list *it; (it = list_first(lines)) != NULL;)
        http_line_abort(CONTAINER_OF(it, struct http_line, node));
}

void http_pool_free(struct http_pool *p)
{
    p->freed = true;
    p->lines++; /* holds the pool while its lines go */
    abort_all(&p->idle);
    abort_all(&p->busy);
    abort_all(&p->shared);
    if (--p->lines > 0)
        return;
    buf_clear(&p->scratch);
    free(p);
}

bool http_pool_is_busy(const struct http_pool *p)
{
    return !list_empty(&p->busy) || !list_empty(&p->shared);
}

const char *http_pool_fault(const struct http_pool *p)
{
    return p->fault;
}

/* ---- requests */

static bool wants_length(struct span head)
{
    return span_starts(head, SPAN("POST ")) || span_starts(head, SPAN("PUT ")) ||
           span_starts(head, SPAN("PATCH "));
}

/* In the pool's scratch buffer. */
static struct span request_head(struct http_pool *p, struct span head, int64_t body_len)
{
    struct buf *out = &p->scratch;
    buf_reset(out);
    buf_add_span(out, head);
    BUF_ADD_LIT(out, "Host: ");
    buf_add_span(out, span_str(p->origin->text));
    BUF_ADD_LIT(out, "\r\n");
    if (body_len == HTTP_BODY_STREAM) {
        BUF_ADD_LIT(out, "Transfer-Encoding: chunked\r\n");
    } else if (body_len > 0 || wants_length(head)) {
        BUF_ADD_LIT(out, "Content-Length: ");
        buf_add_u64(out, (uint64_t)body_len);
        BUF_ADD_LIT(out, "\r\n");
    }
    BUF_ADD_LIT(out, "\r\n");
    return buf_span(out);
}

static struct http_call *call_new(struct span head, const struct http_call_ops *ops, void *ctx)
{
    struct http_call *c = xcalloc(1, sizeof *c);
    c->no_body = span_starts(head, SPAN("HEAD "));
    c->ops = ops;
    c->ctx = ctx;
    return c;
}

static struct http_line *line_alone(struct http_pool *p)
{
    struct http_line *l = http_line_kept(p);
    return l != NULL ? l : http_line_dial(p);
}

struct http_call *http_pool_call(struct http_pool *p, struct span head, int64_t body_len,
                                 const struct http_call_ops *ops, void *ctx)
{
    struct http_call *c = call_new(head, ops, ctx);
    bool idempotent = !span_starts(head, SPAN("POST ")) && !span_starts(head, SPAN("PATCH "));
    c->chunked = body_len == HTTP_BODY_STREAM;
    c->sent = body_len == HTTP_BODY_NO;
    c->replayable = c->sent && idempotent;
    http_line_carry(line_alone(p), c, 0);
    http_line_send(c, request_head(p, head, body_len));
    return c;
}

struct http_call *http_pool_share(struct http_pool *p, struct span head, struct span body,
                                  uint64_t kind, const struct http_call_ops *ops, void *ctx)
{
    struct http_call *c = call_new(head, ops, ctx);
    struct http_line *l = http_line_shared(p, kind);
    assert(kind != 0);
    c->sent = true;
    http_line_carry(l != NULL ? l : line_alone(p), c, kind);
    http_line_send(c, request_head(p, head, (int64_t)body.len));
    http_line_send(c, body);
    return c;
}

void http_call_body(struct http_call *c, struct span part)
{
    if (part.len == 0)
        return;
    if (!c->chunked) {
        http_line_send(c, part);
        return;
    }
    struct buf chunk = {0};
    http_body_add_chunk(&chunk, part);
    http_line_send(c, buf_span(&chunk));
    buf_clear(&chunk);
}

void http_call_end(struct http_call *c)
{
    struct buf last = {0};
    c->sent = true;
    if (c->chunked)
        http_body_add_chunk(&last, SPAN(""));
    if (c->chunked || http_line_is_connected(c->line))
        http_line_send(c, buf_span(&last));
    buf_clear(&last);
}

bool http_call_is_full(const struct http_call *c)
{
    size_t high = c->line->wire.conn.high_water;
    if (!http_line_is_connected(c->line))
        return high != 0 && c->request.len >= high;
    return conn_is_full(&c->line->wire.conn);
}

void http_call_pause(struct http_call *c)
{
    conn_pause(&c->line->wire.conn, CONN_PAUSE_LINK);
}

void http_call_resume(struct http_call *c)
{
    conn_resume(&c->line->wire.conn, CONN_PAUSE_LINK);
    http_line_expect(c->line);
}

void http_call_cancel(struct http_call *c)
{
    http_line_cancel(c);
}
