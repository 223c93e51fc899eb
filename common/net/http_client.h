#pragma once
/* HTTP/1.1 client side: a pool of keep-alive connections to one origin, streamed bodies both ways.
 */
#include "common/net/loop.h"
#include "common/proto/http_head.h"
#include "common/proto/url.h"

struct http_pool;
struct http_call;

struct http_pool_settings {
    int64_t connect_ms; /* resolve and connect */
    int64_t answer_ms; /* from the end of the request to the answer's head, and between its parts */
    size_t max_idle;   /* kept connections */
    int64_t idle_ms;   /* how long they are kept */
    uint32_t high_water; /* of the request body's queue */
    size_t depth;        /* calls of one kind on a shared connection, at least 1; 0 with no such */
};

/* `origin` and `settings` are borrowed for the pool's life. */
struct http_pool *http_pool_new(struct loop *l, const struct url_origin *origin,
                                const struct http_pool_settings *settings);
/* Cancels what is under way, without callbacks, and frees once the loop has turned. */
void http_pool_free(struct http_pool *p);
bool http_pool_is_busy(const struct http_pool *p); /* a call is under way */

/* Inside a call's `failed`: what was wrong, for people; static. */
const char *http_pool_fault(const struct http_pool *p);

struct http_call_ops {
    /* The head of the final answer (1xx are skipped); valid until return. */
    void (*head)(void *ctx, const struct http_head *h);
    void (*body)(void *ctx, struct span part); /* borrowed until return */
    void (*end)(void *ctx);                    /* complete; the call is gone */
    /* Failed before it was complete; the call is gone. ERR_MISSING: no connection could be made, so
     * nothing was sent; ERR_IO: broken off; ERR_TIMEOUT; ERR_SYNTAX: not HTTP. An idempotent
     * request (RFC 9110 section 9.2.2) without a body is sent once more when a
     * kept connection turns out to be closed. */
    void (*failed)(void *ctx, enum err why);
    void (*drained)(void *ctx); /* the request's queue has room again. May be NULL */
};

enum { HTTP_BODY_NO = 0, HTTP_BODY_STREAM = -1 };
/* Starts a call. `head` is the request head without the blank line at its end and without Host,
 * Content-Length, Transfer-Encoding and Connection, which are added here; it is copied.
 * body_len: HTTP_BODY_NO, HTTP_BODY_STREAM (chunked), or exactly so many bytes to come; a POST, PUT
 * or PATCH of length 0 sends `Content-Length: 0`. Never calls back before it returns. */
struct http_call *http_pool_call(struct http_pool *p, struct span head, int64_t body_len,
                                 const struct http_call_ops *ops, void *ctx);
/* Starts a call whose request is whole (both parts are copied), and which may share a connection:
 * those of one kind (not 0) go out one behind the other, before the answers to those in front have
 * come, and are answered in that order (RFC 9112 section 9.3.2). So a slow answer holds up others
 * of its kind, but none that come HTTP_HOLD_MS after the last sign of life. For requests that may
 * be sent twice: one connection that breaks fails all of its calls. ERR_MISSING also when the peer
 * had said before that it would not obey. Never calls back before it returns. */
enum { HTTP_HOLD_MS = 20 };
struct http_call *http_pool_share(struct http_pool *p, struct span head, struct span body,
                                  uint64_t kind, const struct http_call_ops *ops, void *ctx);
/* The request's body; not of a call that was started whole. */
void http_call_body(struct http_call *c, struct span part);
void http_call_end(struct http_call *c); /* the request's body is complete */
bool http_call_is_full(const struct http_call *c);
/* Stops reading answers, until it is resumed or this call's answer is over. */
void http_call_pause(struct http_call *c);
void http_call_resume(struct http_call *c);
/* No more callbacks; the call is gone. Its connection is closed, unless it is shared: others still
 * want their answers. */
void http_call_cancel(struct http_call *c);
