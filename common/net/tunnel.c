/* The way to an open tunnel. The client's connection stays with the HTTP server until a server has
 * answered 101, so that others can be tried and failures told in HTTP. */
#include "common/net/tunnel.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/net/http_wire.h"
#include "common/proto/hop.h"
#include "common/proto/ws_handshake.h"

enum { UPSTREAM_DEAD_MS = 15000 }; /* a host that vanished without a word */

enum tunnel_state {
    TUNNEL_WAITING,   /* for its owner */
    TUNNEL_ASKING,    /* connecting, or the answer is awaited */
    TUNNEL_ANSWERING, /* another answer than 101 is on its way to the client */
    TUNNEL_OPEN,
    TUNNEL_GONE, /* the client is answered or gone; what is left of the dial follows */
};

static const uint8_t tunnel_next[] = {
    [TUNNEL_WAITING] = 1u << TUNNEL_ASKING | 1u << TUNNEL_GONE,
    [TUNNEL_ASKING] =
        1u << TUNNEL_WAITING | 1u << TUNNEL_ANSWERING | 1u << TUNNEL_OPEN | 1u << TUNNEL_GONE,
    [TUNNEL_ANSWERING] = 1u << TUNNEL_GONE,
    [TUNNEL_OPEN] = 1u << TUNNEL_GONE,
    [TUNNEL_GONE] = 0,
};

/* What is needed until it is open. */
struct approach {
    struct responder responder;
    struct tunnel *tunnel;
    struct http_exchange *x; /* until it is open or answered; NULL: a late one */
    struct buf head;
    struct buf reason;
    struct url_origin origin; /* being tried; text and host are owned */
    struct http_wire wire;
    struct timer deadline; /* of the other side's next step */
    enum tunnel_failure why;
    char *protocol; /* owned; NULL: none */
    char key[WS_KEY_LEN];
    bool is_late;
};

struct tunnel {
    struct list node;
    struct tunnels *all;
    const struct tunnel_ops *ops;
    void *ctx;
    struct approach *way; /* NULL: it is open */
    enum tunnel_state state;
    enum tunnel_end end; /* GONE: how */
    struct pipe pipe;
};

static void tunnel_go(struct tunnel *t, enum tunnel_state to)
{
    assert((tunnel_next[t->state] & 1u << to) != 0);
    t->state = to;
}

static void expect_within(struct tunnel *t, int64_t ms)
{
    struct loop *l = t->all->loop;
    wheel_set(loop_wheel(l), &t->way->deadline, loop_now(l) + ms);
}

static void expect_nothing(struct tunnel *t)
{
    wheel_cancel(loop_wheel(t->all->loop), &t->way->deadline);
}

static void approach_free(struct tunnel *t)
{
    struct approach *w = t->way;
    if (w == NULL)
        return;
    expect_nothing(t);
    t->way = NULL;
    buf_clear(&w->head);
    buf_clear(&w->reason);
    url_origin_clear(&w->origin);
    free(w->protocol);
    free(w);
}

/* It is gone; its owner knows. */
static void tunnel_drop(struct tunnel *t)
{
    list_remove(&t->node);
    approach_free(t);
    t->all->count--;
    t->all->stats->now--;
    free(t);
}

static void tunnel_free(struct tunnel *t, enum tunnel_end how)
{
    const struct tunnel_ops *ops = t->ops;
    void *ctx = t->ctx;
    tunnel_drop(t);
    ops->ended(ctx, how);
}

/* The exchange is on its own from here. */
static struct http_exchange *let_go(struct tunnel *t)
{
    struct http_exchange *x = t->way->x;
    t->way->x = NULL;
    if (x != NULL)
        x->user = NULL;
    return x;
}

/* Nobody waits for the dial any more. */
static void give_up(struct tunnel *t, enum tunnel_end how)
{
    bool alone = t->state == TUNNEL_WAITING;
    tunnel_go(t, TUNNEL_GONE);
    t->end = how;
    expect_nothing(t);
    if (alone)
        tunnel_free(t, how);
    else
        http_wire_abort(&t->way->wire, ERR_CLOSED); /* goes on in wire_gone */
}

static void refuse(struct tunnel *t, int status, struct span headers, struct span body)
{
    struct http_exchange *x = let_go(t);
    t->all->stats->failures++;
    give_up(t, TUNNEL_REFUSED);
    if (x != NULL)
        http_respond(x, status, headers, body);
}

/* ---- the server being tried */

static void wire_connected(struct http_wire *w)
{
    struct tunnel *t = CONTAINER_OF(w, struct approach, wire)->tunnel;
    expect_within(t, t->all->answer_ms);
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
    expect_within(t, t->all->answer_ms);
    hop_add_answer(&lines, h);
    http_respond_begin(t->way->x, h->status, buf_span(&lines), h->content_length);
    buf_clear(&lines);
}

static void wire_body(struct http_wire *w, struct span part)
{
    struct tunnel *t = CONTAINER_OF(w, struct approach, wire)->tunnel;
    http_respond_part(t->way->x, part);
    if (http_exchange_is_full(t->way->x)) {
        expect_nothing(t);
        conn_pause(&w->conn, CONN_PAUSE_LINK);
    } else {
        expect_within(t, t->all->answer_ms);
    }
}

static void wire_end(struct http_wire *w, bool reusable)
{
    struct tunnel *t = CONTAINER_OF(w, struct approach, wire)->tunnel;
    struct http_exchange *x = let_go(t);
    (void)reusable;
    give_up(t, TUNNEL_ANSWERED);
    http_respond_end(x);
}

static void wire_drained(struct http_wire *w)
{
    (void)w;
}

static void pipe_ended(struct pipe *p, enum pipe_end how)
{
    static const enum tunnel_end ends[] = {
        [PIPE_CLIENT_CLOSED] = TUNNEL_CLIENT_CLOSED,
        [PIPE_CLIENT_GONE] = TUNNEL_CLIENT_GONE,
        [PIPE_UPSTREAM_CLOSED] = TUNNEL_SERVER_CLOSED,
        [PIPE_UPSTREAM_GONE] = TUNNEL_SERVER_GONE,
        [PIPE_OURS] = TUNNEL_OURS,
    };
    tunnel_free(CONTAINER_OF(p, struct tunnel, pipe), ends[how]);
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
    pipe_start(&t->pipe, &t->all->pipes, let_go(t), &w->wire.conn, head, behind);
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
        give_up(t, TUNNEL_CLIENT_GONE);
        return;
    }
    tunnel_go(t, TUNNEL_OPEN);
    t->all->stats->opened++;
    if (client != NULL)
        pipe_start_late(&t->pipe, &t->all->pipes, client, &w->conn, behind);
    else
        start_pipe(t, head, behind);
    approach_free(t);
    if (t->ops->opened != NULL)
        t->ops->opened(t->ctx);
}

static void wire_gone(struct http_wire *w, enum err why)
{
    struct tunnel *t = CONTAINER_OF(w, struct approach, wire)->tunnel;
    expect_nothing(t);
    if (t->state == TUNNEL_ASKING) {
        log_debug("tunnel.failed", "to=%s why=%s", t->way->origin.text, err_text(why));
        tunnel_go(t, TUNNEL_WAITING);
        t->ops->failed(t->ctx, t, t->way->why);
        return;
    }
    if (t->state == TUNNEL_ANSWERING) {
        t->end = TUNNEL_ANSWERED;
        http_respond_abort(let_go(t));
    }
    tunnel_free(t, t->end);
}

static const struct http_wire_ops wire_ops = {
    .connected = wire_connected,
    .head = wire_head,
    .body = wire_body,
    .end = wire_end,
    .drained = wire_drained,
    .gone = wire_gone,
    .upgraded = wire_upgraded,
};

static void deadline_fired(struct timer *timer, int64_t now)
{
    (void)now;
    http_wire_abort(&CONTAINER_OF(timer, struct approach, deadline)->wire, ERR_TIMEOUT);
}

/* ---- the client, until it is open */

static void client_gone(struct responder *r)
{
    struct tunnel *t = CONTAINER_OF(r, struct approach, responder)->tunnel;
    t->way->x = NULL;
    give_up(t, TUNNEL_CLIENT_GONE);
}

static void client_drained(struct responder *r)
{
    struct tunnel *t = CONTAINER_OF(r, struct approach, responder)->tunnel;
    expect_within(t, t->all->answer_ms);
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

static const struct responder_ops request_ops = {
    .body = ignore_body,
    .complete = nothing_to_do,
    .drained = client_drained,
    .gone = client_gone,
};

/* ---- the owner */

void tunnels_init(struct tunnels *all, struct loop *l, struct tunnel_stats *stats)
{
    *all = (struct tunnels){
        .connect_ms = TUNNEL_CONNECT_MS,
        .answer_ms = TUNNEL_ANSWER_MS,
        .loop = l,
        .stats = stats,
        .pipes = {.loop = l,
                  .bytes = &stats->bytes,
                  .ended = pipe_ended,
                  .upstream_dead_ms = UPSTREAM_DEAD_MS},
    };
    list_init(&all->all);
}

static struct tunnel *make(struct tunnels *all, struct buf *head, const struct tunnel_ops *ops,
                           void *ctx)
{
    struct tunnel *t = xcalloc(1, sizeof *t);
    *t = (struct tunnel){.all = all, .ops = ops, .ctx = ctx};
    t->way = xcalloc(1, sizeof *t->way);
    *t->way = (struct approach){
        .responder.ops = &request_ops,
        .tunnel = t,
        .head = *head,
        .deadline.fire = deadline_fired,
    };
    *head = (struct buf){0};
    list_push(&all->all, &t->node);
    all->count++;
    all->stats->now++;
    return t;
}

struct tunnel *tunnel_new(struct tunnels *all, struct http_exchange *x, struct buf *head,
                          const struct tunnel_ops *ops, void *ctx)
{
    struct tunnel *t = make(all, head, ops, ctx);
    t->way->x = x;
    x->user = &t->way->responder;
    return t;
}

struct tunnel *tunnel_new_late(struct tunnels *all, struct buf *head, struct span key,
                               struct span protocol, const struct tunnel_ops *ops, void *ctx)
{
    struct tunnel *t = make(all, head, ops, ctx);
    assert(key.len == sizeof t->way->key);
    memcpy(t->way->key, key.ptr, key.len);
    t->way->protocol = protocol.len == 0 ? NULL : xspandup(protocol);
    t->way->is_late = true;
    return t;
}

void tunnel_set_protocol(struct tunnel *t, struct span protocol)
{
    free(t->way->protocol);
    t->way->protocol = protocol.len == 0 ? NULL : xspandup(protocol);
}

void tunnel_cancel(struct tunnel *t)
{
    if (t->state != TUNNEL_WAITING && t->state != TUNNEL_ASKING)
        return;
    (void)let_go(t);
    give_up(t, TUNNEL_CLIENT_GONE);
}

void tunnel_try(struct tunnel *t, const struct url_origin *origin)
{
    struct url_origin copy = *origin;
    copy.host = xstrdup(origin->host);
    copy.text = xstrdup(origin->text);
    url_origin_clear(&t->way->origin);
    t->way->origin = copy;
    buf_reset(&t->way->reason);
    t->way->why = TUNNEL_UNREACHABLE;
    t->way->wire = (struct http_wire){0};
    tunnel_go(t, TUNNEL_ASKING);
    http_wire_dial(&t->way->wire, t->all->loop, &t->way->origin, &wire_ops);
    expect_within(t, t->all->connect_ms);
}

void tunnel_refuse(struct tunnel *t, int status, struct span headers, struct span body)
{
    assert(t->state == TUNNEL_WAITING);
    refuse(t, status, headers, body);
}

struct span tunnel_reason(const struct tunnel *t)
{
    return buf_span(&t->way->reason);
}

struct http_exchange *tunnel_give_back(struct tunnel *t)
{
    assert(t->state == TUNNEL_WAITING);
    struct http_exchange *x = let_go(t);
    tunnel_drop(t);
    return x;
}

void tunnel_close(struct tunnel *t, uint16_t code, struct span reason)
{
    switch (t->state) {
    case TUNNEL_WAITING:
    case TUNNEL_ASKING:
        refuse(t, 503, SPAN("Content-Type: application/json\r\nRetry-After: 1\r\n"),
               SPAN("{\"error\":\"Stopping\"}"));
        break;
    case TUNNEL_OPEN:
        pipe_close(&t->pipe, code, reason);
        break;
    case TUNNEL_ANSWERING:
    case TUNNEL_GONE:
        break;
    }
}

void tunnels_close(struct tunnels *all, uint16_t code, struct span reason)
{
    LIST_EACH_SAFE (&all->all, it, next)
        tunnel_close(CONTAINER_OF(it, struct tunnel, node), code, reason);
}

static bool is_staying(const struct tunnel *t)
{
    return t->state == TUNNEL_OPEN && !pipe_is_closing(&t->pipe);
}

size_t tunnels_staying(const struct tunnels *all)
{
    size_t count = 0;
    LIST_EACH (&all->all, it)
        count += is_staying(CONTAINER_OF(it, struct tunnel, node));
    return count;
}

void tunnels_close_some(struct tunnels *all, size_t count, uint16_t code, struct span reason)
{
    LIST_EACH_SAFE (&all->all, it, next) {
        struct tunnel *t = CONTAINER_OF(it, struct tunnel, node);
        if (count == 0)
            return;
        if (!is_staying(t))
            continue;
        count--;
        tunnel_close(t, code, reason);
    }
}

static void tunnel_abort(struct tunnel *t)
{
    if (t->state == TUNNEL_OPEN) {
        pipe_abort(&t->pipe);
        return;
    }
    if (t->state == TUNNEL_GONE)
        return;
    (void)let_go(t);
    give_up(t, TUNNEL_OURS);
}

void tunnels_abort(struct tunnels *all)
{
    LIST_EACH_SAFE (&all->all, it, next)
        tunnel_abort(CONTAINER_OF(it, struct tunnel, node));
}
