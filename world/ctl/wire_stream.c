/* A stream of events that comes again by itself. */
#include <stdlib.h>

#include "world/ctl/sse.h"
#include "world/ctl/wire_parts.h"

/* A world writes a comment every 15 s. */
enum { SILENCE_MS = 40000, AGAIN_MIN_MS = 250, AGAIN_MAX_MS = 5000 };

struct wire_stream {
    struct wire *wire;
    struct wire_call call; /* its spans are owned */
    const struct wire_stream_hear *hear;
    void *ctx;
    struct wire_exchange *exchange; /* NULL: waits, or is refused */
    struct wire_timer again;
    int64_t again_ms;
    struct sse sse;
    bool closing, hearing; /* closed by who hears: freed when they have returned */
};

static void dial(void *ctx);

static void stream_free(struct wire_stream *s)
{
    if (s->exchange != NULL)
        wire_abandon(s->exchange);
    wire_timer_clear(&s->again);
    span_free(s->call.url);
    span_free(s->call.token);
    span_free(s->call.headers);
    sse_clear(&s->sse);
    free(s);
}

void wire_stream_close(struct wire_stream *s)
{
    if (s == NULL)
        return;
    s->closing = true;
    if (!s->hearing)
        stream_free(s);
}

static void on_event(void *ctx, struct span id, struct span name, struct span data)
{
    struct wire_stream *s = ctx;

    if (!s->closing)
        s->hear->event(s->ctx, &(struct wire_event){.id = id, .name = name, .data = data});
}

/* Behind each call of who hears. */
static void heard(struct wire_stream *s)
{
    s->hearing = false;
    if (s->closing)
        stream_free(s);
}

static void on_begin(void *ctx, int status)
{
    struct wire_stream *s = ctx;

    (void)status;
    s->again_ms = AGAIN_MIN_MS;
    s->hearing = true;
    if (s->hear->up != NULL)
        s->hear->up(s->ctx);
    heard(s);
}

static void on_piece(void *ctx, struct span data)
{
    struct wire_stream *s = ctx;

    s->hearing = true;
    sse_feed(&s->sse, data, on_event, s);
    heard(s);
}

static void on_end(void *ctx, const struct wire_answer *a)
{
    struct wire_stream *s = ctx;
    bool refused =
        a->err == ERR_SYNTAX || (a->err == ERR_OK && a->status >= 400 && a->status < 500);

    s->exchange = NULL;
    s->hearing = true;
    s->hear->down(s->ctx, a, refused ? -1 : s->again_ms);
    if (!refused && !s->closing) {
        wire_timer_start(s->wire, &s->again, s->again_ms, dial, s);
        s->again_ms = s->again_ms * 2 < AGAIN_MAX_MS ? s->again_ms * 2 : AGAIN_MAX_MS;
    }
    heard(s);
}

static void dial(void *ctx)
{
    static const struct wire_pieces pieces = {.begin = on_begin, .piece = on_piece};
    struct wire_stream *s = ctx;
    struct buf more = {0};

    BUF_ADD_LIT(&more, "Accept: text/event-stream\r\n");
    if (s->sse.id.len > 0) {
        BUF_ADD_LIT(&more, "Last-Event-ID: ");
        buf_add_span(&more, buf_span(&s->sse.id));
        BUF_ADD_LIT(&more, "\r\n");
    }
    sse_restart(&s->sse);
    s->exchange = wire_begin_pieces(s->wire, &s->call, buf_span(&more), &pieces, on_end, s);
    buf_clear(&more);
}

struct wire_stream *wire_stream_open(struct wire *w, const struct wire_call *call,
                                     const struct wire_stream_hear *hear, void *ctx)
{
    struct wire_stream *s = xcalloc(1, sizeof(*s));

    s->wire = w;
    s->call.url = span_copy(call->url);
    s->call.token = span_copy(call->token);
    s->call.headers = span_copy(call->headers);
    s->call.answer_ms = call->answer_ms > 0 ? call->answer_ms : SILENCE_MS;
    s->hear = hear;
    s->ctx = ctx;
    s->again_ms = AGAIN_MIN_MS;
    dial(s);
    return s;
}
