#pragma once
/* A client connection and the calls it carries: one alone, or several of one kind, whose requests
 * go out one behind the other and are answered in that order (RFC 9112 section 9.3.2). For
 * http_client.c, which picks the line. */
#include "common/base/list.h"
#include "common/net/http_client.h"
#include "common/net/http_wire.h"

struct http_pool {
    struct loop *loop;
    const struct url_origin *origin;
    const struct http_pool_settings *settings;
    struct list idle; /* lines without a call, the last used at the end */
    size_t idle_count;
    struct list busy;   /* lines with a call of its own */
    struct list shared; /* lines with calls of one kind, the newest at the end */
    size_t lines;
    struct buf scratch; /* of a request */
    const char *fault;  /* of the line that failed last; static */
    bool freed;         /* goes with its last line */
};

struct http_line {
    struct http_wire wire;
    struct http_pool *pool;
    struct list node;  /* in the pool, unless it is about to go */
    struct list calls; /* in the order of their requests; the first is answered now */
    size_t count;
    uint64_t kind;      /* of its calls; 0: of one alone */
    struct timer timer; /* may stand earlier than needed: it looks again when it fires */
    int64_t since_ms;   /* the last step that came forward */
    uint64_t taken;     /* conn_delivered when time was last over */
    bool reused;        /* has carried a call before */
    bool last;          /* the peer has said that no answer comes behind this one */
    bool over;          /* its end is being told */
};

struct http_call {
    struct list node; /* in line->calls */
    struct http_line *line;
    const struct http_call_ops *ops; /* NULL: cancelled, it only keeps its place */
    void *ctx;
    struct buf request; /* until connected; while `replayable` all of it, to be sent once more */
    uint64_t at;        /* where it begins in what the line sends, once that is known */
    bool chunked, no_body;
    bool sent;       /* the request is complete */
    bool replayable; /* a stale connection is no failure yet */
    bool got_head;
};

/* A new connection, in no list of the pool. */
struct http_line *http_line_dial(struct http_pool *p);
/* The kept connection that was used last and is still as it should be, or NULL. */
struct http_line *http_line_kept(struct http_pool *p);
/* The shared line that takes another call of the kind, or NULL. */
struct http_line *http_line_shared(struct http_pool *p, uint64_t kind);
/* Puts the call, of a kind or of none (0), behind those on the line; its request follows. */
void http_line_carry(struct http_line *l, struct http_call *c, uint64_t kind);
/* Sends bytes of the request, or keeps them until it can. */
void http_line_send(struct http_call *c, struct span bytes);
/* The peer has its time anew. */
void http_line_expect(struct http_line *l);
static inline bool http_line_is_connected(const struct http_line *l)
{
    return l->wire.was_open;
}
/* The call's answer is not wanted any more; it keeps its place if its request may have gone out. */
void http_line_cancel(struct http_call *c);
/* Frees the calls and breaks the line off; nobody hears. Do not touch it after that. */
void http_line_abort(struct http_line *l);
