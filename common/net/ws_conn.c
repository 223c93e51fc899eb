/* A WebSocket over a conn: framing is proto/ws, moving bytes is conn; here are the pings, the
 * closing handshake and the limit of the queue. */
#include "common/net/ws_conn.h"

#include <assert.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/rng.h"

static void ws_timer_fired(struct timer *t, int64_t now);

static void ws_set_timer(struct ws_conn *w, int64_t due_ms)
{
    wheel_set(loop_wheel(w->conn.loop), &w->timer, due_ms);
}

/* A frame head and room for the payload, which lies at *at. */
static struct frame *frame_with_head(enum ws_opcode opcode, size_t len, const uint8_t mask[4],
                                     char **at)
{
    uint8_t head[WS_HEAD_MAX];
    size_t head_len = ws_encode_head(head, opcode, len, mask);
    struct frame *f = frame_new(head_len + len);
    frame_add(f, head, head_len);
    *at = f->data + f->len;
    return f;
}

struct frame *ws_frame_new(enum ws_opcode opcode, struct span payload)
{
    char *at;
    struct frame *f = frame_with_head(opcode, payload.len, NULL, &at);
    frame_add(f, payload.ptr, payload.len);
    return f;
}

/* A fresh mask for each frame (RFC 6455 section 5.3): xorshift32 from a secret start. */
static uint32_t ws_next_mask(struct ws_conn *w)
{
    uint32_t x = w->mask_state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return w->mask_state = x;
}

static struct frame *ws_frame_for_peer(struct ws_conn *w, enum ws_opcode opcode,
                                       struct span payload)
{
    if (w->server)
        return ws_frame_new(opcode, payload);
    uint32_t word = ws_next_mask(w);
    uint8_t mask[4];
    memcpy(mask, &word, sizeof mask);
    char *at;
    struct frame *f = frame_with_head(opcode, payload.len, mask, &at);
    ws_mask(at, payload.ptr, payload.len, mask, 0);
    f->len += (uint32_t)payload.len;
    return f;
}

/* Sends the close frame; what is queued goes first. */
static void ws_say_close(struct ws_conn *w, uint16_t code, struct span reason)
{
    char payload[WS_CONTROL_MAX];
    size_t len = ws_encode_close(payload, code, reason);
    ws_watch_keep_pong(w, NULL);
    conn_send(&w->conn, ws_frame_for_peer(w, WS_CLOSE, span_of(payload, len)));
    w->close_sent = true;
    ws_set_timer(w, loop_now(w->conn.loop) + WS_CLOSE_MS);
}

/* Messages of the server side: a control frame, and an HTTP answer before all frames, never goes.
 */
static bool is_message(const struct frame *f)
{
    uint8_t first = (uint8_t)f->data[0];
    return (first & 0x80) != 0 && (first & 0x0f) < WS_CLOSE;
}

/* Makes room for `f` by what is oldest, which is `f` itself when all before it is under way. False:
 * it was dropped. */
static bool ws_drop_oldest(struct ws_conn *w, struct frame *f, size_t bytes)
{
    uint32_t dropped = outq_drop(&w->conn.out, is_message, bytes);
    size_t queued = conn_queued(&w->conn);
    bool fits = !is_message(f) || queued == 0 || queued + f->len <= w->settings->max_queue;
    if (!fits) {
        frame_unref(f);
        dropped++;
    }
    if (w->settings->buffers != NULL)
        w->settings->buffers->dropped += dropped;
    return fits;
}

/* Takes `f`. */
static void ws_queue(struct ws_conn *w, struct frame *f)
{
    size_t queued = conn_queued(&w->conn), max = w->settings->max_queue;
    bool over = max != 0 && queued > 0 && queued + f->len > max;
    if (over && !w->settings->drop_oldest) {
        frame_unref(f);
        ws_close_slow(w, WS_SLOW_QUEUE);
        return;
    }
    if (over && !ws_drop_oldest(w, f, queued + f->len - max))
        return;
    conn_send(&w->conn, f);
    if (w->conn.blocked)
        ws_watch_output(w);
}

/* So many frames may be queued before pongs are spared: a read can bring thousands of pings. */
enum { PONGS_BEHIND = 128 };

/* Only the newest ping needs its pong (section 5.5.3): when the peer does not read our answers, or
 * asks faster than we write, an older one gives way, so that pings cannot fill the queue. */
static void ws_pong(struct ws_conn *w, struct span payload)
{
    if (w->close_sent)
        return;
    struct frame *f = ws_frame_for_peer(w, WS_PONG, payload);
    if (!w->conn.blocked && !conn_is_full(&w->conn) && w->conn.out.count < PONGS_BEHIND) {
        ws_queue(w, f);
        return;
    }
    ws_watch_keep_pong(w, f);
    conn_ask_backlog(&w->conn);
}

/* Once there is room. */
static void ws_send_late_pong(struct ws_conn *w)
{
    struct frame *pong = conn_is_full(&w->conn) ? NULL : ws_watch_take_pong(w);
    if (pong == NULL)
        return;
    ws_queue(w, pong);
    conn_ask_backlog(&w->conn); /* what waits is looked at again once it is written */
}

/* The server ends the TCP connection first (section 7.1.1); a client waits for that, for
 * WS_CLOSE_MS at most. */
static void ws_closed_by_peer(struct ws_conn *w, uint16_t code, struct span reason)
{
    w->close_received = true;
    if (!w->close_sent) {
        w->code = code;
        ws_say_close(w, code == WS_CODE_NO_STATUS ? WS_CODE_NONE : code, reason);
    }
    if (w->server)
        conn_close(&w->conn);
}

static void ws_handle(struct ws_conn *w, const struct ws_event *event)
{
    switch (event->opcode) {
    case WS_TEXT:
    case WS_BINARY:
        if (!w->close_sent)
            w->ops->message(w, event->data, event->len, event->opcode == WS_BINARY);
        return;
    case WS_PING:
        ws_pong(w, span_of(event->data, event->len));
        return;
    case WS_CLOSE:
        ws_closed_by_peer(w, event->code, span_of(event->data, event->len));
        return;
    case WS_PONG: /* that there was one has been noted already */
        if (event->len > 0 && w->ops->pong != NULL && !w->close_sent)
            w->ops->pong(w, span_of(event->data, event->len));
        return;
    case WS_CONTINUATION:
        return;
    }
}

/* Any byte is a sign of life. */
static void ws_heard(struct ws_conn *w)
{
    w->heard_ms = loop_now(w->conn.loop);
    if (!w->pinged)
        return;
    w->pinged = false;
    if (!w->close_sent)
        ws_set_timer(w, w->heard_ms + w->settings->ping_ms);
}

static enum err ws_next(struct ws_conn *w, char *data, size_t len, size_t *used,
                        struct ws_event *event)
{
    enum err e = ws_decode(&w->decoder, data, len, used, event);
    if (e == ERR_OK && event->compressed && !w->close_sent)
        e = ws_inflate(w->settings->deflate, event, w->settings->max_message);
    return e;
}

static void ws_on_data(struct conn *c, char *data, size_t len)
{
    struct ws_conn *w = CONTAINER_OF(c, struct ws_conn, conn);
    bool ended = false;
    ws_heard(w);
    while (len > 0 && conn_is_open(c) && !w->close_received) {
        if (c->pauses != 0) {
            conn_unread(c, data, len);
            break;
        }
        size_t used;
        struct ws_event event;
        enum err e = ws_next(w, data, len, &used, &event);
        if (e != ERR_OK && e != ERR_AGAIN) {
            ws_fail(w, ws_error_code(e), SPAN(""));
            return;
        }
        data += used;
        len -= used;
        if (e != ERR_OK)
            continue;
        ended = ended || w->decoder.opcode == 0;
        ws_handle(w, &event);
    }
    ws_decoder_release(&w->decoder);
    if (w->decoder.deflate)
        ws_inflate_release(w->settings->deflate);
    ws_watch_input(w, ended);
    if (w->ops->batch_end != NULL && ws_is_open(w))
        w->ops->batch_end(w);
}

static void ws_on_drained(struct conn *c)
{
    struct ws_conn *w = CONTAINER_OF(c, struct ws_conn, conn);
    ws_send_late_pong(w);
    if (w->ops->drained != NULL && ws_is_open(w))
        w->ops->drained(w);
}

static void ws_on_backlog(struct conn *c)
{
    struct ws_conn *w = CONTAINER_OF(c, struct ws_conn, conn);
    ws_send_late_pong(w);
    ws_watch_output(w);
}

static void ws_release(struct ws_conn *w)
{
    wheel_cancel(loop_wheel(w->conn.loop), &w->timer);
    ws_decoder_clear(&w->decoder);
    ws_watch_clear(w);
}

static void ws_on_closed(struct conn *c, enum conn_end end)
{
    (void)end;
    struct ws_conn *w = CONTAINER_OF(c, struct ws_conn, conn);
    ws_release(w);
    w->ops->closed(w, w->code != 0 ? w->code : WS_CODE_ABNORMAL);
}

/* Nothing that we could still send means anything to a peer that has ended its side. */
static void ws_on_eof(struct conn *c)
{
    conn_abort(c);
}

static const struct conn_ops ws_conn_ops = {
    .data = ws_on_data,
    .drained = ws_on_drained,
    .backlog = ws_on_backlog,
    .closed = ws_on_closed,
    .eof = ws_on_eof,
};

static void ws_timer_fired(struct timer *t, int64_t now)
{
    struct ws_conn *w = CONTAINER_OF(t, struct ws_conn, timer);
    const struct ws_settings *s = w->settings;
    if (w->close_sent) {
        conn_abort(&w->conn);
        return;
    }
    /* What waits in the kernel may be the pong: we are late, not the peer. */
    if (w->pinged && (w->conn.pauses != 0 || conn_has_input(&w->conn))) {
        ws_set_timer(w, now + s->pong_ms);
        return;
    }
    if (w->pinged) {
        ws_close(w, WS_CODE_HEARTBEAT_TIMEOUT, SPAN("timeout"));
        return;
    }
    if (s->ping_ms == 0) /* it was not always */
        return;
    int64_t due = w->heard_ms + s->ping_ms;
    if (now < due) {
        ws_set_timer(w, due);
        return;
    }
    w->pinged = true;
    ws_queue(w, ws_frame_for_peer(w, WS_PING, (struct span){0}));
    if (!w->close_sent)
        ws_set_timer(w, now + s->pong_ms);
}

void ws_conn_start(struct ws_conn *w, struct conn *from, bool server, const struct ws_ops *ops,
                   const struct ws_settings *settings)
{
    w->ops = ops;
    w->settings = settings;
    w->server = server;
    w->timer.fire = ws_timer_fired;
    conn_move(&w->conn, from, &ws_conn_ops);
    w->conn.high_water = settings->high_water;
    ws_decoder_init(&w->decoder, server, settings->max_message);
    while (!server && w->mask_state == 0)
        rng_bytes(&w->mask_state, sizeof w->mask_state);
    w->heard_ms = loop_now(w->conn.loop);
    if (settings->ping_ms != 0)
        ws_set_timer(w, w->heard_ms + settings->ping_ms);
}

void ws_conn_deflate(struct ws_conn *w, uint8_t window_bits)
{
    assert(window_bits == 0 || w->settings->deflate != NULL);
    w->window_bits = window_bits;
    w->decoder.deflate = window_bits != 0;
}

void ws_conn_turn(struct ws_conn *w, const struct ws_ops *ops, const struct ws_settings *settings)
{
    w->ops = ops;
    w->settings = settings;
    w->conn.high_water = settings->high_water;
    w->decoder.max_message = settings->max_message;
}

struct conn *ws_conn_leave(struct ws_conn *w)
{
    assert(ws_is_open(w));
    ws_release(w);
    return &w->conn;
}

bool ws_is_open(const struct ws_conn *w)
{
    return conn_is_open(&w->conn) && !w->close_sent && !w->close_received;
}

void ws_send_frame(struct ws_conn *w, struct frame *f)
{
    assert(w->server);
    if (!ws_is_open(w)) {
        frame_unref(f);
        return;
    }
    ws_queue(w, f);
}

void ws_send(struct ws_conn *w, enum ws_opcode opcode, struct span payload)
{
    if (ws_is_open(w))
        ws_queue(w, ws_frame_for_peer(w, opcode, payload));
}

void ws_ping(struct ws_conn *w, struct span payload)
{
    assert(payload.len > 0 && payload.len <= WS_CONTROL_MAX);
    ws_send(w, WS_PING, payload);
}

void ws_close(struct ws_conn *w, uint16_t code, struct span reason)
{
    if (!ws_is_open(w))
        return;
    w->code = code == WS_CODE_NONE ? WS_CODE_NO_STATUS : code;
    w->ours = true;
    ws_say_close(w, code, reason);
    /* The peer's answer lies behind what a pause holds back. */
    conn_resume(&w->conn, (enum conn_pause)w->conn.pauses);
}

/* Says so and waits for nothing but the peer's end (section 7.1.7). */
void ws_fail(struct ws_conn *w, uint16_t code, struct span reason)
{
    log_debug("ws.fail", "code=%u reason=%.*s", code, SPAN_ARG(reason));
    if (!w->close_sent) {
        w->code = code;
        w->ours = true;
        ws_say_close(w, code, reason);
    }
    conn_linger(&w->conn);
}

void ws_close_slow(struct ws_conn *w, enum ws_slow cause)
{
    static const char *const causes[] = {
        [WS_SLOW_QUEUE] = "queue", [WS_SLOW_STALLED] = "stalled", [WS_SLOW_BUFFERS] = "buffers"};
    if (!ws_is_open(w))
        return;
    log_debug("ws.slow", "cause=%s queued=%zu", causes[cause], conn_queued(&w->conn));
    if (w->settings->buffers != NULL)
        w->settings->buffers->slow[cause]++;
    conn_drop_queue(&w->conn);
    ws_close(w, WS_CODE_SLOW_CONSUMER, SPAN("slow consumer"));
    ws_watch_output(w);
}

void ws_abort(struct ws_conn *w)
{
    conn_abort(&w->conn);
}

static void take_messages(struct ws_decoder *d, struct buf *bytes,
                          void (*message)(void *ctx, struct span text), void *ctx)
{
    for (size_t at = 0, used; at < bytes->len; at += used) {
        struct ws_event e;
        if (ws_decode(d, bytes->data + at, bytes->len - at, &used, &e) != ERR_OK)
            return;
        if (e.opcode == WS_TEXT || e.opcode == WS_BINARY)
            message(ctx, span_of(e.data, e.len));
    }
}

void ws_take_unsent(struct ws_conn *w, void (*message)(void *ctx, struct span text), void *ctx)
{
    struct outq unsent;
    struct buf bytes = {0};
    struct ws_decoder d;
    conn_take_queue(&w->conn, &unsent);
    ws_decoder_init(&d, !w->server, SIZE_MAX);
    for (struct frame *f; (f = outq_pop(&unsent)) != NULL; frame_unref(f)) {
        buf_reset(&bytes);
        buf_add(&bytes, f->data, f->len); /* a copy: reading unmasks, and frames may be shared */
        take_messages(&d, &bytes, message, ctx);
    }
    ws_decoder_clear(&d);
    buf_clear(&bytes);
}
