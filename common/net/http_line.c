/* The life of a client connection, its time, and what its calls are told. Reading answers is
 * http_wire's. */
#include "common/net/http_line.h"

#include <stdlib.h>

#include "common/base/mem.h"

static struct http_line *line_of(struct http_wire *w)
{
    return CONTAINER_OF(w, struct http_line, wire);
}

/* The call that is answered now; NULL: none. */
static struct http_call *first_call(const struct http_line *l)
{
    struct list *it = list_first(&l->calls);
    return it == NULL ? NULL : CONTAINER_OF(it, struct http_call, node);
}

static void forget(struct http_call *c)
{
    list_remove(&c->node);
    c->line->count--;
    buf_clear(&c->request);
    free(c);
}

/* In no list of the pool any more. */
static void unlist(struct http_line *l)
{
    if (l->count == 0 && list_linked(&l->node))
        l->pool->idle_count--;
    list_remove(&l->node);
}

void http_line_abort(struct http_line *l)
{
    unlist(l);
    for (struct http_call *c; (c = first_call(l)) != NULL;)
        forget(c);
    http_wire_abort(&l->wire, ERR_CLOSED);
}

/* ---- time */

static int64_t patience(const struct http_line *l)
{
    const struct http_pool_settings *s = l->pool->settings;
    if (l->count == 0)
        return s->idle_ms;
    return http_line_is_connected(l) ? s->answer_ms : s->connect_ms;
}

void http_line_expect(struct http_line *l)
{
    struct loop *loop = l->pool->loop;
    l->since_ms = loop_now(loop);
    int64_t due = l->since_ms + patience(l);
    if (!timer_is_set(&l->timer) || l->timer.due_ms > due)
        wheel_set(loop_wheel(loop), &l->timer, due);
}

/* Whether the peer owes us nothing: while we hold its answer back, while the rest of the request is
 * ours to send, or while it still takes what we sent. */
static bool owes_nothing(struct http_line *l)
{
    const struct http_call *c = first_call(l);
    const struct conn *conn = &l->wire.conn;
    bool our_turn = !c->sent && !c->got_head && conn_queued(conn) == 0;
    uint64_t before = l->taken;
    l->taken = conn_delivered(conn);
    bool takes = l->taken != before && conn_queued(conn) > 0;
    return conn->pauses != 0 || our_turn || takes;
}

static void timed_out(struct timer *t, int64_t now)
{
    struct http_line *l = CONTAINER_OF(t, struct http_line, timer);
    int64_t due = l->since_ms + patience(l);
    if (now < due)
        wheel_set(loop_wheel(l->pool->loop), t, due);
    else if (l->count == 0)
        http_line_abort(l);
    else if (http_line_is_connected(l) && owes_nothing(l))
        http_line_expect(l);
    else
        http_wire_abort(&l->wire, ERR_TIMEOUT); /* on_gone tells */
}

/* ---- cancelled calls */

/* Somebody on the line still wants an answer. */
static bool is_wanted(const struct http_line *l)
{
    LIST_EACH (&l->calls, it)
        if (CONTAINER_OF(it, struct http_call, node)->ops != NULL)
            return true;
    return false;
}

void http_line_cancel(struct http_call *c)
{
    struct http_line *l = c->line;
    c->ops = NULL;
    if (l->over) /* on_gone comes to it */
        return;
    if (!is_wanted(l)) {
        http_line_abort(l);
    } else if (!http_line_is_connected(l)) {
        forget(c);
        http_wire_await(&l->wire, first_call(l)->no_body);
    }
}

/* ---- requests */

void http_line_carry(struct http_line *l, struct http_call *c, uint64_t kind)
{
    const struct conn *conn = &l->wire.conn;
    bool first = l->count == 0;
    if (first) {
        unlist(l);
        list_push(kind == 0 ? &l->pool->busy : &l->pool->shared, &l->node);
        l->kind = kind;
        http_wire_await(&l->wire, c->no_body);
    }
    list_push(&l->calls, &c->node);
    l->count++;
    c->line = l;
    c->at = conn->sent + conn_queued(conn);
    if (first)
        http_line_expect(l);
}

/* The peer's time is that of the first call: what is sent behind it gives no more of it. */
void http_line_send(struct http_call *c, struct span bytes)
{
    struct http_line *l = c->line;
    bool connected = http_line_is_connected(l);
    if (!connected || c->replayable)
        buf_add_span(&c->request, bytes);
    if (!connected)
        return;
    conn_write_span(&l->wire.conn, bytes);
    if (l->kind == 0)
        http_line_expect(l);
}

/* What is there of the request goes out. */
static void send_kept(struct http_call *c)
{
    struct conn *conn = &c->line->wire.conn;
    c->at = conn->sent + conn_queued(conn);
    conn_write_span(conn, buf_span(&c->request));
    if (!c->replayable)
        buf_clear(&c->request);
}

static void on_connected(struct http_wire *w)
{
    struct http_line *l = line_of(w);
    LIST_EACH (&l->calls, it)
        send_kept(CONTAINER_OF(it, struct http_call, node));
    http_line_expect(l);
}

static void on_drained(struct http_wire *w)
{
    struct http_line *l = line_of(w);
    struct http_call *c = first_call(l);
    if (c == NULL || l->kind != 0) /* those were whole */
        return;
    http_line_expect(l);
    if (c->ops->drained != NULL)
        c->ops->drained(c->ctx);
}

/* ---- answers */

static void on_head(struct http_wire *w, const struct http_head *h)
{
    struct http_line *l = line_of(w);
    struct http_call *c = first_call(l);
    c->got_head = true;
    c->replayable = false;
    buf_clear(&c->request);
    l->last = !w->keep_alive;
    http_line_expect(l);
    if (c->ops != NULL)
        c->ops->head(c->ctx, h);
}

static void on_body(struct http_wire *w, struct span part)
{
    struct http_line *l = line_of(w);
    struct http_call *c = first_call(l);
    http_line_expect(l);
    if (c->ops != NULL)
        c->ops->body(c->ctx, part);
}

/* Without a call it is kept for others, if it may be. */
static void keep(struct http_line *l)
{
    struct http_pool *p = l->pool;
    if (p->idle_count >= p->settings->max_idle) {
        http_wire_abort(&l->wire, ERR_CLOSED);
        return;
    }
    list_push(&p->idle, &l->node);
    p->idle_count++;
    http_line_expect(l);
}

/* The first call has its answer: on to the next, or to rest. */
static void go_on(struct http_line *l, bool reusable)
{
    const struct http_call *next = first_call(l);
    l->reused = true;
    conn_resume(&l->wire.conn, CONN_PAUSE_LINK); /* paused in its last part, for nothing */
    if (next == NULL)
        list_remove(&l->node);
    if (!reusable) {
        http_wire_abort(&l->wire, ERR_CLOSED); /* on_gone tells those that are left */
    } else if (next == NULL) {
        keep(l);
    } else {
        http_wire_await(&l->wire, next->no_body);
        http_line_expect(l);
    }
}

static void on_end(struct http_wire *w, bool reusable)
{
    struct http_line *l = line_of(w);
    struct http_call *c = first_call(l);
    const struct http_call_ops *ops = c->ops;
    void *ctx = c->ctx;
    bool clean = c->sent && (l->count > 1 || !w->behind);
    forget(c);
    go_on(l, reusable && clean);
    if (ops != NULL)
        ops->end(ctx);
}

/* ---- the end */

/* A kept connection that the peer had closed meanwhile: the call goes to a new one. */
static bool replay(struct http_line *l, enum err why)
{
    struct http_call *c = first_call(l);
    bool stale = l->reused && !l->wire.got_bytes && (why == ERR_CLOSED || why == ERR_IO);
    if (c == NULL || !stale || !c->replayable || l->pool->freed)
        return false;
    list_remove(&c->node);
    l->count--;
    http_line_carry(http_line_dial(l->pool), c, 0);
    return true;
}

/* Nothing of it was sent, or the peer has said that it does not obey it. */
static bool is_unheard(const struct http_line *l, const struct http_call *c)
{
    return !http_line_is_connected(l) || c->at >= l->wire.conn.sent || (l->last && !c->got_head);
}

static void fail(struct http_line *l, struct http_call *c, enum err why)
{
    const struct http_call_ops *ops = l->pool->freed ? NULL : c->ops;
    void *ctx = c->ctx;
    if (is_unheard(l, c))
        why = ERR_MISSING;
    forget(c);
    if (ops != NULL)
        ops->failed(ctx, why == ERR_CLOSED ? ERR_IO : why);
}

static void on_gone(struct http_wire *w, enum err why)
{
    struct http_line *l = line_of(w);
    struct http_pool *p = l->pool;
    unlist(l);
    wheel_cancel(loop_wheel(p->loop), &l->timer);
    l->over = true;
    p->fault = http_wire_fault(w, why);
    if (!replay(l, why))
        for (struct http_call *c; (c = first_call(l)) != NULL;)
            fail(l, c, why);
    free(l);
    p->lines--;
    if (p->freed && p->lines == 0)
        http_pool_free(p);
}

static const struct http_wire_ops wire_ops = {
    .connected = on_connected,
    .head = on_head,
    .body = on_body,
    .end = on_end,
    .drained = on_drained,
    .gone = on_gone,
};

/* ---- lines */

struct http_line *http_line_dial(struct http_pool *p)
{
    struct http_line *l = xcalloc(1, sizeof *l);
    l->pool = p;
    l->timer.fire = timed_out;
    list_init(&l->calls);
    p->lines++;
    l->wire.conn.high_water = p->settings->high_water;
    http_wire_dial(&l->wire, p->loop, p->origin, &wire_ops);
    return l;
}

struct http_line *http_line_kept(struct http_pool *p)
{
    while (!list_empty(&p->idle)) {
        struct http_line *l = CONTAINER_OF(p->idle.prev, struct http_line, node);
        if (conn_is_open(&l->wire.conn) && !conn_has_input(&l->wire.conn))
            return l;
        http_line_abort(l);
    }
    return NULL;
}

/* One that does not come forward gets no more calls, which it would hold up. */
static bool takes_more(const struct http_line *l)
{
    const struct conn *conn = &l->wire.conn;
    bool open = http_line_is_connected(l) ? conn_is_open(conn) : l->wire.why == ERR_OK;
    return open && !l->last && l->count < l->pool->settings->depth && !conn_is_full(conn) &&
           loop_now(l->pool->loop) - l->since_ms < HTTP_HOLD_MS;
}

struct http_line *http_line_shared(struct http_pool *p, uint64_t kind)
{
    for (struct list *it = p->shared.prev; it != &p->shared; it = it->prev) {
        struct http_line *l = CONTAINER_OF(it, struct http_line, node);
        if (l->kind == kind && takes_more(l))
            return l;
    }
    return NULL;
}
