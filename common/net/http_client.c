/* Pools of client connections and the calls they carry. Reading answers is http_wire's. */
#include "common/net/http_client.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/net/http_wire.h"

struct http_pool {
    struct loop *loop;
    const struct url_origin *origin;
    const struct http_pool_settings *settings;
    struct list idle; /* wires, the last used at the end */
    size_t idle_count;
    struct list busy; /* wires with a call */
    size_t wires;
    bool freed; /* goes with its last wire */
};

/* A connection and the call it carries now. */
struct wire {
    struct list node; /* in pool->idle or pool->busy */
    struct http_wire http;
    struct http_pool *pool;
    struct http_call *call; /* NULL: idle, or about to go */
    struct timer idle_timer;
    bool reused; /* has carried a call before */
};

struct http_call {
    struct wire *wire;
    const struct http_call_ops *ops;
    void *ctx;
    struct buf request; /* until connected; while `replayable` all of it, to be sent once more */
    struct timer timer; /* connect_ms, then answer_ms */
    uint64_t taken;     /* conn_delivered when the timer last fired */
    bool connected, chunked, no_body;
    bool sent;       /* the request is complete */
    bool replayable; /* a stale connection is no failure yet */
    bool got_head;
};

static struct wire *wire_of(struct http_wire *w)
{
    return CONTAINER_OF(w, struct wire, http);
}

/* ---- calls */

static void call_free(struct http_call *c)
{
    wheel_cancel(loop_wheel(c->wire->pool->loop), &c->timer);
    c->wire->call = NULL;
    buf_clear(&c->request);
    free(c);
}

/* Restarts the clock for the peer's next step. */
static void call_expect(struct http_call *c)
{
    struct http_pool *p = c->wire->pool;
    wheel_set(loop_wheel(p->loop), &c->timer, loop_now(p->loop) + p->settings->answer_ms);
}

static void call_fail(struct http_call *c, enum err why)
{
    const struct http_call_ops *ops = c->ops;
    void *ctx = c->ctx;
    call_free(c);
    ops->failed(ctx, why);
}

/* Time is over, unless the peer owes us nothing: while we hold its answer back, while the rest of
 * the request is ours to send, or while it still takes what we sent. */
static void call_timed_out(struct timer *t, int64_t now)
{
    (void)now;
    struct http_call *c = CONTAINER_OF(t, struct http_call, timer);
    struct http_wire *w = &c->wire->http;
    bool our_turn = !c->sent && !c->got_head && conn_queued(&w->conn) == 0;
    uint64_t before = c->taken;
    c->taken = conn_delivered(&w->conn);
    bool takes = c->taken != before && conn_queued(&w->conn) > 0;
    if (c->connected && (w->conn.pauses != 0 || our_turn || takes))
        call_expect(c);
    else
        http_wire_abort(w, ERR_TIMEOUT); /* wire_gone tells */
}

static void call_write(struct http_call *c, struct span bytes)
{
    if (!c->connected || c->replayable)
        buf_add_span(&c->request, bytes);
    if (!c->connected)
        return;
    conn_write_span(&c->wire->http.conn, bytes);
    call_expect(c);
}

/* ---- wires */

static void wire_unlist(struct wire *w)
{
    if (w->call == NULL && timer_is_set(&w->idle_timer))
        w->pool->idle_count--;
    wheel_cancel(loop_wheel(w->pool->loop), &w->idle_timer);
    list_remove(&w->node);
}

/* Gives the wire a call; what there is of the request goes out if it is connected. */
static void wire_carry(struct wire *w, struct http_call *c)
{
    list_push(&w->pool->busy, &w->node);
    w->call = c;
    c->wire = w;
    c->connected = w->http.was_open;
    http_wire_await(&w->http, c->no_body);
    if (!c->connected)
        return;
    conn_write_span(&w->http.conn, buf_span(&c->request));
    call_expect(c);
}

static void wire_connected(struct http_wire *hw)
{
    struct http_call *c = wire_of(hw)->call;
    if (c == NULL)
        return;
    c->connected = true;
    conn_write_span(&hw->conn, buf_span(&c->request));
    if (!c->replayable)
        buf_clear(&c->request);
    call_expect(c);
}

static void wire_head(struct http_wire *hw, const struct http_head *h)
{
    struct http_call *c = wire_of(hw)->call;
    c->got_head = true;
    c->replayable = false;
    buf_clear(&c->request);
    call_expect(c);
    c->ops->head(c->ctx, h);
}

static void wire_body(struct http_wire *hw, struct span part)
{
    struct http_call *c = wire_of(hw)->call;
    call_expect(c);
    c->ops->body(c->ctx, part);
}

static void wire_drained(struct http_wire *hw)
{
    struct http_call *c = wire_of(hw)->call;
    if (c == NULL)
        return;
    call_expect(c);
    if (c->ops->drained != NULL)
        c->ops->drained(c->ctx);
}

static void idle_over(struct timer *t, int64_t now)
{
    (void)now;
    struct wire *w = CONTAINER_OF(t, struct wire, idle_timer);
    w->pool->idle_count--; /* the timer has fired: wire_unlist does not count it */
    http_wire_abort(&w->http, ERR_TIMEOUT);
}

static void wire_keep(struct wire *w)
{
    struct http_pool *p = w->pool;
    list_push(&p->idle, &w->node);
    p->idle_count++;
    w->idle_timer.fire = idle_over;
    wheel_set(loop_wheel(p->loop), &w->idle_timer, loop_now(p->loop) + p->settings->idle_ms);
}

static void wire_end(struct http_wire *hw, bool reusable)
{
    struct wire *w = wire_of(hw);
    struct http_call *c = w->call;
    struct http_pool *p = w->pool;
    const struct http_call_ops *ops = c->ops;
    void *ctx = c->ctx;
    bool keep = reusable && c->sent && !p->freed && p->idle_count < p->settings->max_idle;
    call_free(c);
    wire_unlist(w);
    conn_resume(&hw->conn, CONN_PAUSE_LINK); /* paused in its last part, for nothing */
    w->reused = true;
    if (keep)
        wire_keep(w);
    else
        http_wire_abort(hw, ERR_CLOSED);
    ops->end(ctx);
}

static struct wire *wire_dial(struct http_pool *p);

/* A kept connection that the peer had closed meanwhile: the call goes to a new one. */
static bool wire_replay(struct wire *w, enum err why)
{
    struct http_call *c = w->call;
    bool stale = w->reused && !w->http.got_bytes && (why == ERR_CLOSED || why == ERR_IO);
    if (!stale || !c->replayable || w->pool->freed)
        return false;
    w->call = NULL;
    wire_carry(wire_dial(w->pool), c);
    struct http_pool *p = w->pool;
    wheel_set(loop_wheel(p->loop), &c->timer, loop_now(p->loop) + p->settings->connect_ms);
    return true;
}

static enum err call_error(const struct http_call *c, enum err why)
{
    if (!c->connected)
        return ERR_MISSING;
    return why == ERR_CLOSED ? ERR_IO : why;
}

static void wire_gone(struct http_wire *hw, enum err why)
{
    struct wire *w = wire_of(hw);
    struct http_pool *p = w->pool;
    struct http_call *c = w->call;
    wire_unlist(w);
    if (c != NULL && !wire_replay(w, why))
        call_fail(c, call_error(c, why));
    free(w);
    p->wires--;
    if (p->freed && p->wires == 0)
        free(p);
}

static const struct http_wire_ops wire_ops = {
    .connected = wire_connected,
    .head = wire_head,
    .body = wire_body,
    .end = wire_end,
    .drained = wire_drained,
    .gone = wire_gone,
};

static struct wire *wire_dial(struct http_pool *p)
{
    struct wire *w = xcalloc(1, sizeof *w);
    w->pool = p;
    p->wires++;
    w->http.conn.high_water = p->settings->high_water;
    http_wire_dial(&w->http, p->loop, p->origin, &wire_ops);
    return w;
}

/* The kept connection that was used last and is still as it should be, or NULL. */
static struct wire *wire_take(struct http_pool *p)
{
    while (!list_empty(&p->idle)) {
        struct wire *w = CONTAINER_OF(p->idle.prev, struct wire, node);
        wire_unlist(w);
        if (conn_is_open(&w->http.conn) && !conn_has_input(&w->http.conn))
            return w;
        http_wire_abort(&w->http, ERR_CLOSED);
    }
    return NULL;
}

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
    return p;
}

static void abort_all(struct list *wires)
{
    for (struct list *it; (it = list_first(wires)) != NULL;) {
        struct wire *w = CONTAINER_OF(it, struct wire, node);
        wire_unlist(w);
        if (w->call != NULL)
            call_free(w->call);
        http_wire_abort(&w->http, ERR_CLOSED);
    }
}

void http_pool_free(struct http_pool *p)
{
    if (p->wires == 0) {
        free(p);
        return;
    }
    p->wires++; /* holds the pool while its wires go */
    p->freed = true;
    abort_all(&p->idle);
    abort_all(&p->busy);
    if (--p->wires == 0)
        free(p);
}

bool http_pool_is_busy(const struct http_pool *p)
{
    LIST_EACH (&p->busy, it)
        if (CONTAINER_OF(it, struct wire, node)->call != NULL)
            return true;
    return false;
}

/* ---- requests */

static bool wants_length(struct span head)
{
    return span_starts(head, SPAN("POST ")) || span_starts(head, SPAN("PUT ")) ||
           span_starts(head, SPAN("PATCH "));
}

static void add_request_head(struct buf *out, const struct http_pool *p, struct span head,
                             int64_t body_len)
{
    buf_add_span(out, head);
    BUF_ADD_LIT(out, "Host: ");
    buf_add_span(out, span_str(p->origin->text));
    BUF_ADD_LIT(out, "\r\n");
    if (body_len == HTTP_BODY_STREAM)
        BUF_ADD_LIT(out, "Transfer-Encoding: chunked\r\n");
    else if (body_len > 0 || wants_length(head))
        buf_addf(out, "Content-Length: %lld\r\n", (long long)body_len);
    BUF_ADD_LIT(out, "\r\n");
}

/* A call whose request (all of it, or its head) is `request`, which it takes. */
static struct http_call *call_new(struct http_pool *p, struct buf request, bool no_body,
                                  bool replayable, const struct http_call_ops *ops, void *ctx)
{
    struct http_call *c = xcalloc(1, sizeof *c);
    c->ops = ops;
    c->ctx = ctx;
    c->request = request;
    c->no_body = no_body;
    c->replayable = replayable;
    c->timer.fire = call_timed_out;
    struct wire *w = wire_take(p);
    wire_carry(w != NULL ? w : wire_dial(p), c);
    if (!c->connected)
        wheel_set(loop_wheel(p->loop), &c->timer, loop_now(p->loop) + p->settings->connect_ms);
    else if (!replayable)
        buf_clear(&c->request);
    return c;
}

struct http_call *http_pool_call(struct http_pool *p, struct span head, int64_t body_len,
                                 const struct http_call_ops *ops, void *ctx)
{
    struct buf request = {0};
    bool idempotent = !span_starts(head, SPAN("POST ")) && !span_starts(head, SPAN("PATCH "));
    add_request_head(&request, p, head, body_len);
    struct http_call *c = call_new(p, request, span_starts(head, SPAN("HEAD ")),
                                   body_len == HTTP_BODY_NO && idempotent, ops, ctx);
    c->chunked = body_len == HTTP_BODY_STREAM;
    c->sent = body_len == HTTP_BODY_NO;
    return c;
}

void http_call_body(struct http_call *c, struct span part)
{
    if (part.len == 0)
        return;
    if (!c->chunked) {
        call_write(c, part);
        return;
    }
    struct buf chunk = {0};
    http_body_add_chunk(&chunk, part);
    call_write(c, buf_span(&chunk));
    buf_clear(&chunk);
}

void http_call_end(struct http_call *c)
{
    struct buf last = {0};
    c->sent = true;
    if (c->chunked)
        http_body_add_chunk(&last, SPAN(""));
    if (c->chunked || c->connected)
        call_write(c, buf_span(&last));
    buf_clear(&last);
}

bool http_call_is_full(const struct http_call *c)
{
    size_t high = c->wire->http.conn.high_water;
    if (!c->connected)
        return high != 0 && c->request.len >= high;
    return conn_is_full(&c->wire->http.conn);
}

void http_call_pause(struct http_call *c)
{
    conn_pause(&c->wire->http.conn, CONN_PAUSE_LINK);
}

void http_call_resume(struct http_call *c)
{
    conn_resume(&c->wire->http.conn, CONN_PAUSE_LINK);
    call_expect(c);
}

void http_call_cancel(struct http_call *c)
{
    struct wire *w = c->wire;
    call_free(c);
    http_wire_abort(&w->http, ERR_CLOSED);
}
