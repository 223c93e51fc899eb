/* The exchange is held by one at a time: by this file while its owner thinks, by a tunnel or a
 * forward while a node is tried. Decides nothing. */
#include "common/net/held.h"

/* ---- a node does not serve */

/* What a 421 says of itself. */
static enum resolve_reason reason_of(struct span said)
{
    if (span_eq(said, SPAN("full")))
        return RESOLVE_FULL;
    return span_eq(said, SPAN("draining")) ? RESOLVE_DRAINING : RESOLVE_UNKNOWN;
}

static void over(void *ctx)
{
    struct held *h = ctx;
    h->ways->ops->over(h);
}

static void tunnel_ended(void *ctx, enum tunnel_end how)
{
    (void)how;
    over(ctx);
}

static void forward_failed(void *ctx, struct forward *f, enum forward_failure why)
{
    struct held *h = ctx;
    h->fault = forward_fault(f);
    h->ways->ops->failed(h, why == FORWARD_MISDIRECTED ? reason_of(forward_reason(f))
                                                       : RESOLVE_UNREACHABLE);
}

static void tunnel_failed(void *ctx, struct tunnel *t, enum tunnel_failure why)
{
    struct held *h = ctx;
    enum resolve_reason reason =
        why == TUNNEL_MISDIRECTED ? reason_of(tunnel_reason(t)) : RESOLVE_UNREACHABLE;
    h->fault = tunnel_fault(t);
    h->x = tunnel_give_back(t);
    h->x->user = &h->responder;
    h->ways->ops->failed(h, reason);
}

static const struct tunnel_ops tunnel_ops = {.failed = tunnel_failed, .ended = tunnel_ended};

/* ---- the exchange, while it waits here */

static void held_body(struct responder *r, struct span part)
{
    (void)r; /* it is not read; and sockets have none */
    (void)part;
}

static void held_complete(struct responder *r)
{
    CONTAINER_OF(r, struct held, responder)->body_complete = true;
}

static void held_drained(struct responder *r)
{
    (void)r;
}

static void held_gone(struct responder *r)
{
    over(CONTAINER_OF(r, struct held, responder));
}

static const struct responder_ops waiting = {
    .body = held_body,
    .complete = held_complete,
    .drained = held_drained,
    .gone = held_gone,
};

/* ---- */

void held_ways_init(struct held_ways *w, const struct held_ops *ops, unsigned target,
                    struct span failed_headers)
{
    w->ops = ops;
    w->to_node = (struct forward_kind){
        .target = target,
        .name = "node",
        .failed = forward_failed,
        .ended = over,
        .failed_status = 502,
        .timeout_status = 504,
        .failed_headers = failed_headers,
        .failed_body = "{\"error\":\"The owner of the shard does not answer\"}",
    };
}

void held_begin(struct held *h, struct held_ways *ways, struct http_exchange *x, bool is_socket)
{
    *h = (struct held){
        .responder.ops = &waiting,
        .ways = ways,
        .x = x,
        .is_socket = is_socket,
        .has_body = !is_socket && (x->head->chunked || x->head->content_length > 0),
    };
    x->user = &h->responder;
    if (h->has_body)
        http_exchange_pause(x);
}

struct http_exchange *held_take_back(struct held *h)
{
    if (h->forward != NULL)
        return forward_give_back(h->forward);
    h->x->user = NULL;
    if (h->has_body)
        http_exchange_resume(h->x);
    return h->x;
}

static void forward_there(struct held *h, struct http_pool *pool)
{
    struct buf head = {0};
    h->ways->ops->add_head(h, &head);
    if (h->forward != NULL) {
        forward_turn(h->forward, &head, &h->ways->to_node, h);
    } else {
        struct http_exchange *x = held_take_back(h);
        h->forward = forward_new(h->ways->forwards, x, &head, &h->ways->to_node, h);
        struct responder *r = x->user;
        if (h->body_complete)
            r->ops->complete(r);
    }
    forward_try(h->forward, pool);
}

static void tunnel_there(struct held *h, const struct url_origin *origin)
{
    struct buf head = {0};
    h->ways->ops->add_head(h, &head);
    struct http_exchange *x = held_take_back(h);
    h->x = NULL; /* until the tunnel gives it back */
    tunnel_try(tunnel_new(h->ways->tunnels, x, &head, &tunnel_ops, h), origin);
}

void held_try(struct held *h, struct span url)
{
    struct url_origin origin = {0};
    struct http_pool *pool = NULL;
    bool good = url_origin_parse(url, &origin) == ERR_OK;
    origin.inside = true;
    if (good && !h->is_socket)
        pool = pools_get(h->ways->pools, url);
    if (pool != NULL) {
        forward_there(h, pool);
    } else if (good && h->is_socket) {
        tunnel_there(h, &origin);
    } else {
        h->fault = good ? "no connection to spare" : "not an origin";
        h->ways->ops->failed(h, RESOLVE_UNREACHABLE);
    }
    url_origin_clear(&origin);
}
