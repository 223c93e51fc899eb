/* The way to an open tunnel. The client's connection stays with the HTTP server until a server has
 * answered 101, so that others can be tried and failures told in HTTP. */
#include "common/net/tunnel_inside.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"

enum {
    UPSTREAM_DEAD_MS = 15000, /* a host that vanished without a word */
    HIGH_WATER = 256 * 1024,
};

static const uint8_t tunnel_next[] = {
    [TUNNEL_WAITING] = 1u << TUNNEL_ASKING | 1u << TUNNEL_GONE,
    [TUNNEL_ASKING] =
        1u << TUNNEL_WAITING | 1u << TUNNEL_ANSWERING | 1u << TUNNEL_OPEN | 1u << TUNNEL_GONE,
    [TUNNEL_ANSWERING] = 1u << TUNNEL_GONE,
    [TUNNEL_OPEN] = 1u << TUNNEL_GONE,
    [TUNNEL_GONE] = 0,
};

void tunnel_go(struct tunnel *t, enum tunnel_state to)
{
    assert((tunnel_next[t->state] & 1u << to) != 0);
    t->state = to;
}

void tunnel_expect_within(struct tunnel *t, int64_t ms)
{
    struct loop *l = t->all->loop;
    wheel_set(loop_wheel(l), &t->way->deadline, loop_now(l) + ms);
}

void tunnel_expect_nothing(struct tunnel *t)
{
    wheel_cancel(loop_wheel(t->all->loop), &t->way->deadline);
}

void tunnel_approached(struct tunnel *t)
{
    struct approach *w = t->way;
    if (w == NULL)
        return;
    tunnel_expect_nothing(t);
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
    tunnel_approached(t);
    t->all->count--;
    t->all->stats->now--;
    free(t);
}

void tunnel_free(struct tunnel *t, enum tunnel_end how)
{
    const struct tunnel_ops *ops = t->ops;
    void *ctx = t->ctx;
    tunnel_drop(t);
    ops->ended(ctx, how);
}

struct http_exchange *tunnel_let_go(struct tunnel *t)
{
    struct http_exchange *x = t->way->x;
    t->way->x = NULL;
    if (x != NULL)
        x->user = NULL;
    return x;
}

void tunnel_give_up(struct tunnel *t, enum tunnel_end how)
{
    bool alone = t->state == TUNNEL_WAITING;
    tunnel_go(t, TUNNEL_GONE);
    t->end = how;
    tunnel_expect_nothing(t);
    if (alone)
        tunnel_free(t, how);
    else
        http_wire_abort(&t->way->wire, ERR_CLOSED); /* goes on in wire_gone */
}

static void refuse(struct tunnel *t, int status, struct span headers, struct span body)
{
    struct http_exchange *x = tunnel_let_go(t);
    t->all->stats->failures++;
    tunnel_give_up(t, TUNNEL_REFUSED);
    if (x != NULL)
        http_respond(x, status, headers, body);
}

static void deadline_fired(struct timer *timer, int64_t now)
{
    (void)now;
    http_wire_abort(&CONTAINER_OF(timer, struct approach, deadline)->wire, ERR_TIMEOUT);
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
                  .upstream_dead_ms = UPSTREAM_DEAD_MS,
                  .high_water = HIGH_WATER},
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
        .responder.ops = &tunnel_request_ops,
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
    (void)tunnel_let_go(t);
    tunnel_give_up(t, TUNNEL_CLIENT_GONE);
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
    http_wire_dial(&t->way->wire, t->all->loop, &t->way->origin, &tunnel_wire_ops);
    tunnel_expect_within(t, t->all->connect_ms);
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

const char *tunnel_fault(const struct tunnel *t)
{
    return t->way->fault;
}

struct http_exchange *tunnel_give_back(struct tunnel *t)
{
    assert(t->state == TUNNEL_WAITING);
    struct http_exchange *x = tunnel_let_go(t);
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
    (void)tunnel_let_go(t);
    tunnel_give_up(t, TUNNEL_OURS);
}

void tunnels_abort(struct tunnels *all)
{
    LIST_EACH_SAFE (&all->all, it, next)
        tunnel_abort(CONTAINER_OF(it, struct tunnel, node));
}
