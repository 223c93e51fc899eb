/* The WebSocket decoder: whatever comes, its events do not depend on where the input is cut, they
 * keep the promises of ws.h, and what it delivers can be framed and read back. The first byte of an
 * input says whether it is for a server, the second how it is cut, the third sets the limit. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/proto/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PREFIX = 3, LIMIT_UNIT = 64 };

static void check_event(const struct ws_event *e, size_t limit)
{
    bool control = e->opcode >= WS_CLOSE;
    assert(e->len <= (control ? (size_t)WS_CONTROL_MAX : limit));
    assert(e->opcode == WS_TEXT || e->opcode == WS_BINARY || e->opcode == WS_CLOSE ||
           e->opcode == WS_PING || e->opcode == WS_PONG);
    if (e->opcode == WS_TEXT || e->opcode == WS_CLOSE)
        assert(span_is_utf8(span_of(e->data, e->len)));
    if (e->opcode == WS_CLOSE)
        assert(e->code == WS_CODE_NO_STATUS || ws_code_is_valid(e->code));
    else
        assert(e->code == 0);
}

/* Frames the payload of an event for the other side and reads it back. */
static void check_round_trip(const struct ws_event *e, bool server)
{
    static const uint8_t mask[4] = {0x12, 0x00, 0xFF, 0x81};
    struct buf frame = {.len = 0};
    uint8_t head[WS_HEAD_MAX];
    char close[WS_CONTROL_MAX];
    struct span payload = span_of(e->data, e->len);
    if (e->opcode == WS_CLOSE)
        payload = span_of(close, ws_encode_close(close, e->code, payload));
    size_t head_len = ws_encode_head(head, e->opcode, payload.len, server ? mask : NULL);
    buf_add(&frame, head, head_len);
    buf_add_span(&frame, payload);
    if (server)
        ws_mask(frame.data + head_len, frame.data + head_len, payload.len, mask, 0);
    struct ws_decoder d;
    struct ws_event again;
    size_t used;
    ws_decoder_init(&d, server, e->len);
    enum err got = ws_decode(&d, frame.data, frame.len, &used, &again);
    assert(got == ERR_OK && used == frame.len && again.opcode == e->opcode);
    assert(again.code == e->code &&
           span_eq(span_of(again.data, again.len), span_of(e->data, e->len)));
    ws_decoder_clear(&d);
    buf_clear(&frame);
}

/* Feeds one piece from memory of its own; writes its events down. */
static enum err feed(struct ws_decoder *d, struct span piece, struct buf *log)
{
    char *copy = xspandup(piece);
    size_t at = 0, used;
    struct ws_event e;
    enum err got;
    while ((got = ws_decode(d, copy + at, piece.len - at, &used, &e)) == ERR_OK) {
        at += used;
        assert(at <= piece.len);
        check_event(&e, d->max_message);
        check_round_trip(&e, d->expect_mask);
        buf_addf(log, "%d %d %zu ", (int)e.opcode, e.code, e.len);
        buf_add(log, e.data, e.len);
    }
    assert(at + used == piece.len);
    free(copy);
    return got;
}

/* Reads all of `input` in random pieces, or at once when `rng` is NULL. */
static void read_all(struct span input, bool server, size_t limit, struct rng *rng, struct buf *log)
{
    struct ws_decoder d;
    enum err e = ERR_AGAIN;
    ws_decoder_init(&d, server, limit);
    for (size_t at = 0; at < input.len && e == ERR_AGAIN;) {
        size_t most = input.len - at, n = most;
        if (rng != NULL)
            n = rng_below(rng, 4) == 0 ? 1 + (size_t)rng_below(rng, most)
                                       : 1 + (size_t)rng_below(rng, most < 8 ? most : 8);
        e = feed(&d, span_slice(input, at, at + n), log);
        at += n;
        assert(d.message.len <= limit && d.control_len <= WS_CONTROL_MAX);
    }
    buf_addf(log, "!%d", (int)e);
    ws_decoder_clear(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PREFIX)
        return 0;
    struct span input = span_of(data + PREFIX, size - PREFIX);
    size_t limit = (size_t)data[2] * LIMIT_UNIT;
    struct buf whole = {.len = 0};
    struct rng rng;
    rng_seed(&rng, data[1]);
    read_all(input, (data[0] & 1) != 0, limit, NULL, &whole);
    for (int i = 0; i < 3; i++) {
        struct buf cut = {.len = 0};
        read_all(input, (data[0] & 1) != 0, limit, &rng, &cut);
        assert(span_eq(buf_span(&whole), buf_span(&cut)));
        buf_clear(&cut);
    }
    buf_clear(&whole);
    return 0;
}
