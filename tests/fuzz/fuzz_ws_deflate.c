/* Deflated messages from strangers, and what we deflate: whatever comes, nothing is made of it
 * beyond the limit, what is delivered as text is UTF-8 and can be packed and read back. The first
 * byte of an input sets the limit; its rest is a message's data, and offers of an extension. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/proto/ws_deflate.h"
#include "common/proto/ws_offer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT_UNIT = 256 };

/* Packs a payload, decodes the frame and inflates its message again. */
static void check_round_trip(struct ws_deflate *z, struct span payload)
{
    uint8_t head[WS_HEAD_MAX];
    size_t head_len = ws_encode_head(head, WS_BINARY, payload.len, NULL);
    struct frame *plain = frame_new(head_len + payload.len);
    frame_add(plain, head, head_len);
    frame_add(plain, payload.ptr, payload.len);
    struct frame *packed = ws_deflate_frame(z, plain);
    if (packed != NULL) {
        struct ws_decoder d;
        struct ws_event e;
        size_t used;
        assert(packed->len < plain->len);
        ws_decoder_init(&d, false, payload.len);
        d.deflate = true;
        enum err got = ws_decode(&d, packed->data, packed->len, &used, &e);
        assert(got == ERR_OK && used == packed->len && e.compressed);
        got = ws_inflate(z, &e, payload.len);
        assert(got == ERR_OK && span_eq(span_of(e.data, e.len), payload));
        ws_decoder_clear(&d);
    }
    frame_unref(plain);
    frame_unref(packed);
}

static void check_inflate(struct ws_deflate *z, struct span input, size_t limit)
{
    char *copy = xspandup(input);
    struct ws_event e = {.opcode = WS_TEXT, .compressed = true, .data = copy, .len = input.len};
    enum err got = ws_inflate(z, &e, limit);
    free(copy);
    assert(got == ERR_OK || got == ERR_DENIED || got == ERR_LIMIT);
    assert(e.len <= limit + 1 && (got != ERR_LIMIT || e.len == limit + 1));
    if (got != ERR_OK)
        return;
    assert(e.len <= limit && span_is_utf8(span_of(e.data, e.len)));
    char *inflated = xspandup(span_of(e.data, e.len));
    check_round_trip(z, span_of(inflated, e.len));
    free(inflated);
}

static void check_offers(struct span input)
{
    char *copy = xspandup(input);
    struct http_head h = {.header_count = 1};
    h.headers[0] = (struct http_header){.name = SPAN("Sec-WebSocket-Extensions"),
                                        .value = span_of(copy, input.len)};
    struct ws_offer o = ws_offer_choose(&h);
    assert((o.window_bits == 0) == (o.answer.len == 0));
    assert(o.window_bits == 0 ||
           (o.window_bits >= WS_WINDOW_BITS_MIN && o.window_bits <= WS_WINDOW_BITS_MAX));
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct span input = span_of(data + 1, size - 1);
    struct ws_deflate *z = ws_deflate_new();
    check_inflate(z, input, (size_t)data[0] * LIMIT_UNIT);
    check_round_trip(z, input);
    check_offers(input);
    ws_deflate_free(z);
    return 0;
}
