#pragma once
/* A WebSocket connection, server or client, and a raw peer that says its bytes itself. */
#include "wire.h"

#include "common/net/ws_conn.h"

static struct loop *loop;
static struct peer peer;
static size_t fds;
static struct ws_conn *ws;
static struct ws_settings settings;

static struct buf texts; /* the messages, each with a '|' behind it */
static size_t messages, batches, drains, closes;
static uint16_t closed_code;
static void (*in_message)(struct ws_conn *w);

static inline void on_message(struct ws_conn *w, char *data, size_t len, bool binary)
{
    assert_ptr_equal(w, ws);
    assert_int_equal(closes, 0);
    messages++;
    buf_add(&texts, data, len);
    buf_add_char(&texts, binary ? '#' : '|');
    memset(data, 'x', len);
    if (in_message != NULL)
        in_message(w);
}

static inline void on_pong(struct ws_conn *w, struct span payload)
{
    assert_ptr_equal(w, ws);
    buf_add_span(&texts, payload);
    BUF_ADD_LIT(&texts, " pong|");
}

static inline void on_drained(struct ws_conn *w)
{
    assert_ptr_equal(w, ws);
    drains++;
}

static inline void on_batch_end(struct ws_conn *w)
{
    assert_ptr_equal(w, ws);
    batches++;
}

static inline void on_closed(struct ws_conn *w, uint16_t code)
{
    assert_ptr_equal(w, ws);
    closes++;
    closed_code = code;
}

static const struct ws_ops ops = {.message = on_message,
                                  .pong = on_pong,
                                  .drained = on_drained,
                                  .batch_end = on_batch_end,
                                  .closed = on_closed};

static inline void raw_data(struct conn *c, char *data, size_t len)
{
    (void)c, (void)data, (void)len;
    fail();
}

static inline void raw_closed(struct conn *c, enum conn_end end)
{
    (void)c, (void)end;
    fail();
}

static inline void start(bool server)
{
    static const struct conn_ops raw_ops = {.data = raw_data, .closed = raw_closed};
    struct conn raw = {.high_water = 0};
    int fd;
    peer = peer_pair(&fd);
    conn_open(&raw, loop, fd, &raw_ops);
    ws_conn_start(ws, &raw, server, &ops, &settings);
}

static inline int set_up(void **state)
{
    (void)state;
    fds = open_fds();
    loop = loop_new();
    ws = xcalloc(1, sizeof *ws);
    settings = (struct ws_settings){.max_message = 1000, .high_water = 1 << 20};
    messages = batches = drains = closes = 0;
    closed_code = 0;
    in_message = NULL;
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    ws_abort(ws);
    loop_turn(loop, 0);
    assert_int_equal(closes, 1);
    loop_free(loop);
    peer_close(&peer);
    buf_clear(&texts);
    free(ws);
    assert_int_equal(open_fds(), fds);
    return 0;
}

/* ---- the peer's side of the wire ---- */

/* Sends a frame; masked (with a mask that is not zero) when we are the server. */
static inline void peer_frame(enum ws_opcode opcode, bool fin, const char *payload, size_t len)
{
    static const uint8_t mask[4] = {1, 2, 3, 4};
    char bytes[WS_HEAD_MAX + 4096];
    size_t head = ws_encode_head((uint8_t *)bytes, opcode, len, ws->server ? mask : NULL);
    if (!fin)
        bytes[0] = (char)(bytes[0] & 0x7f);
    memcpy(bytes + head, payload, len);
    if (ws->server)
        ws_mask(bytes + head, payload, len, mask, 0);
    peer_send_bytes(&peer, bytes, head + len);
}

static inline void peer_text(const char *text)
{
    peer_frame(WS_TEXT, true, text, strlen(text));
}

/* What our side has sent, decoded; ok while it is a stream of valid frames. */
struct said {
    struct buf text; /* of messages, each with a '|' behind it */
    struct buf pongs;
    size_t count, pings, closes;
    uint16_t code;
    struct buf reason;
};

static inline void said_clear(struct said *s)
{
    buf_clear(&s->text);
    buf_clear(&s->pongs);
    buf_clear(&s->reason);
}

static inline void said_note(struct said *s, const struct ws_event *event)
{
    struct span data = span_of(event->data, event->len);
    switch (event->opcode) {
    case WS_TEXT:
    case WS_BINARY:
        s->count++;
        buf_add_span(&s->text, span_slice(data, 0, 100));
        buf_add_char(&s->text, '|');
        return;
    case WS_PING:
        s->pings++;
        return;
    case WS_PONG:
        buf_add_span(&s->pongs, data);
        buf_add_char(&s->pongs, '|');
        return;
    case WS_CLOSE:
        s->closes++;
        s->code = event->code;
        buf_add_span(&s->reason, data);
        return;
    case WS_CONTINUATION:
        return;
    }
}

/* Decodes all that came so far. */
static inline struct said listen_to(struct peer *p)
{
    struct said s = {.count = 0};
    struct ws_decoder d = {.left = 0};
    ws_decoder_init(&d, !ws->server, 64 << 20);
    peer_pump(p);
    char *copy = xmalloc(p->in.len + 1);
    if (p->in.len > 0)
        memcpy(copy, p->in.data, p->in.len);
    for (size_t at = 0; at < p->in.len;) {
        size_t used;
        struct ws_event event;
        enum err e = ws_decode(&d, copy + at, p->in.len - at, &used, &event);
        at += used;
        if (e == ERR_AGAIN)
            break;
        assert_int_equal(e, ERR_OK);
        said_note(&s, &event);
    }
    ws_decoder_clear(&d);
    free(copy);
    return s;
}

static inline bool said_close(uint16_t code, const char *reason)
{
    struct said s = listen_to(&peer);
    bool so = s.closes == 1 && s.code == code && span_eq(buf_span(&s.reason), span_str(reason));
    said_clear(&s);
    return so;
}

static inline bool said_text(const char *text)
{
    struct said s = listen_to(&peer);
    bool so = span_eq(buf_span(&s.text), span_str(text));
    said_clear(&s);
    return so;
}

static inline bool said_pongs(const char *pongs)
{
    struct said s = listen_to(&peer);
    bool so = span_eq(buf_span(&s.pongs), span_str(pongs));
    said_clear(&s);
    return so;
}

static inline bool got_texts(const char *text)
{
    return span_eq(buf_span(&texts), span_str(text));
}

/* For in_message. */
static inline void pause_now(struct ws_conn *w)
{
    conn_pause(&w->conn, CONN_PAUSE_LINK);
}

static inline void expire(void)
{
    assert_true(timer_is_set(&ws->timer));
    wheel_advance(loop_wheel(loop), ws->timer.due_ms + WHEEL_TICK_MS);
    loop_turn(loop, 0);
}
