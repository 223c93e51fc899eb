#pragma once
/* A world that listens and answers as a test says; what it was asked last is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/net/http_server.h"
#include "common/net/listener.h"

enum { WORLD_HELD_MAX = 100, WORLD_DEADLINE_MS = 5000 };

/* A world that answers all requests with one status, at once or when it is told to. */
struct world {
    struct http_server *server;
    struct listener *listener;
    struct http_exchange *held[WORLD_HELD_MAX];
    size_t held_count, requests;
    int status;
    bool holds;
    const char *answer; /* NULL: {} */
    struct buf last;    /* the last request: its target, a blank, its body */
};

static const struct http_limits world_limits = {
    .header_ms = WORLD_DEADLINE_MS, .body_ms = WORLD_DEADLINE_MS, .idle_ms = WORLD_DEADLINE_MS};

static inline void world_begin(void *ctx, struct http_exchange *x)
{
    struct world *w = ctx;
    w->requests++;
    buf_reset(&w->last);
    buf_add_span(&w->last, x->head->target);
    buf_add_char(&w->last, ' ');
}

static inline void world_body(void *ctx, struct http_exchange *x, struct span part)
{
    (void)x;
    buf_add_span(&((struct world *)ctx)->last, part);
}

static inline void world_complete(void *ctx, struct http_exchange *x)
{
    struct world *w = ctx;
    if (w->holds)
        w->held[w->held_count++] = x;
    else
        http_respond(x, w->status, SPAN(""), span_str(w->answer == NULL ? "{}" : w->answer));
}

static inline void world_gone(void *ctx, struct http_exchange *x)
{
    struct world *w = ctx;
    for (size_t i = 0; i < w->held_count; i++)
        if (w->held[i] == x)
            w->held[i] = w->held[--w->held_count];
}

static const struct http_app world_app = {
    .begin = world_begin, .body = world_body, .complete = world_complete, .gone = world_gone};

static inline void world_open(struct world *w, struct loop *loop)
{
    const char *why;
    *w = (struct world){.status = 200};
    w->server = http_server_new(loop, &world_app, w, &world_limits, SPAN(""));
    assert_int_equal(
        listener_open(&w->listener, loop, "127.0.0.1", 0, http_server_accept, w->server, &why),
        ERR_OK);
}

static inline void world_close(struct world *w)
{
    listener_close(w->listener);
    w->listener = NULL;
    if (w->server != NULL)
        http_server_free(w->server);
    w->server = NULL;
    buf_clear(&w->last);
}
