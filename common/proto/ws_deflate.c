/* Messages through zlib. Both streams are reset for each message, so nothing of one client's is
 * ever found in what goes to another, and a broadcast can be compressed once. */
#include "common/proto/ws_deflate.h"

#include <assert.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

#include "common/base/mem.h"

enum {
    WINDOW_BITS = -15, /* raw deflate */
    MEM_LEVEL = 7,
    OUT_MIN = 4096,       /* bytes, first size of the output */
    OUT_KEPT = 64 * 1024, /* that much of it stays between messages */
    TAIL_LEN = 4,         /* what section 7.2.1 takes off each message */
    AT_BLOCK_END = 128,   /* in z_stream.data_type, see inflate() */
};

static const unsigned char TAIL[TAIL_LEN] = {0x00, 0x00, 0xff, 0xff};

struct ws_deflate {
    z_stream in, out;
    struct buf inflated;
};

struct ws_deflate *ws_deflate_new(void)
{
    struct ws_deflate *z = xcalloc(1, sizeof *z);
    int in = inflateInit2(&z->in, WINDOW_BITS);
    int out =
        deflateInit2(&z->out, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS, MEM_LEVEL, Z_DEFAULT_STRATEGY);
    assert(in == Z_OK && out == Z_OK); /* of memory there is enough, or none for anything */
    return z;
}

void ws_deflate_free(struct ws_deflate *z)
{
    if (z == NULL)
        return;
    (void)inflateEnd(&z->in);
    (void)deflateEnd(&z->out);
    buf_clear(&z->inflated);
    free(z);
}

/* Inflates `len` bytes behind what is there already. ERR_MISSING: the last block has ended; what
 * is left of the input stands in z->in. */
static enum err inflate_part(struct ws_deflate *z, const void *data, size_t len, size_t max)
{
    struct buf *out = &z->inflated;
    z->in.next_in = data;
    z->in.avail_in = (uInt)len;
    for (;;) {
        size_t room = out->len < OUT_MIN ? OUT_MIN : out->len; /* doubles */
        if (room > max + 1 - out->len)
            room = max + 1 - out->len;
        z->in.next_out = (Bytef *)buf_reserve(out, room);
        z->in.avail_out = (uInt)room;
        int got = inflate(&z->in, Z_SYNC_FLUSH);
        out->len += room - z->in.avail_out;
        if (out->len > max)
            return ERR_LIMIT;
        if (got == Z_STREAM_END)
            return ERR_MISSING;
        if (got != Z_OK && got != Z_BUF_ERROR)
            return ERR_DENIED;
        if (z->in.avail_out > 0) /* it has all that it could make of the input */
            return z->in.avail_in == 0 ? ERR_OK : ERR_DENIED;
    }
}

/* A sender may end its data with a last block, and must then put an empty byte behind it (section
 * 7.2.3.4), which some forget. */
static bool is_rest_of_ended(struct span rest)
{
    return rest.len == 0 || (rest.len == 1 && rest.ptr[0] == '\0');
}

static enum err inflate_all(struct ws_deflate *z, struct span data, size_t max)
{
    enum err e = inflate_part(z, data.ptr, data.len, max);
    if (e == ERR_MISSING)
        return is_rest_of_ended(span_of(z->in.next_in, z->in.avail_in)) ? ERR_OK : ERR_DENIED;
    if (e != ERR_OK)
        return e;
    e = inflate_part(z, TAIL, TAIL_LEN, max);
    bool whole = e == ERR_OK && (z->in.data_type & AT_BLOCK_END) != 0;
    return e == ERR_LIMIT || whole ? e : ERR_DENIED;
}

enum err ws_inflate(struct ws_deflate *z, struct ws_event *e, size_t max_message)
{
    assert(e->compressed && e->len <= UINT32_MAX && max_message < UINT32_MAX);
    buf_reset(&z->inflated);
    (void)buf_reserve(&z->inflated, 1); /* an empty message has an address, too */
    (void)inflateReset(&z->in);
    /* No data at all is not what the RFC has for an empty message, but can mean nothing else. */
    enum err got = e->len == 0 ? ERR_OK : inflate_all(z, span_of(e->data, e->len), max_message);
    if (got == ERR_OK && e->opcode == WS_TEXT && !span_is_utf8(buf_span(&z->inflated)))
        got = ERR_DENIED;
    e->data = z->inflated.data;
    e->len = z->inflated.len;
    e->compressed = false;
    return got;
}

void ws_inflate_release(struct ws_deflate *z)
{
    if (z->inflated.cap > OUT_KEPT)
        buf_clear(&z->inflated);
}

/* The payload of a frame of ours. */
static struct span payload_of(const struct frame *f)
{
    assert(f->len >= 2);
    size_t len = (uint8_t)f->data[1];
    size_t head = len < 126 ? 2 : len == 126 ? 4 : 10;
    return span_of(f->data + head, f->len - head);
}

struct frame *ws_deflate_frame(struct ws_deflate *z, const struct frame *plain)
{
    struct span payload = payload_of(plain);
    if (payload.len <= TAIL_LEN)
        return NULL;
    /* No more than the plain frame takes, and the tail: else it is not worth it. */
    struct buf packed = {.len = 0};
    size_t room = payload.len + TAIL_LEN;
    (void)deflateReset(&z->out);
    z->out.next_in = (const Bytef *)payload.ptr;
    z->out.avail_in = (uInt)payload.len;
    z->out.next_out = (Bytef *)buf_reserve(&packed, room);
    z->out.avail_out = (uInt)room;
    int got = deflate(&z->out, Z_SYNC_FLUSH);
    struct frame *f = NULL;
    if (got == Z_OK && z->out.avail_in == 0 && z->out.avail_out > 0) {
        uint8_t head[WS_HEAD_MAX];
        size_t len = room - z->out.avail_out - TAIL_LEN;
        size_t head_len = ws_encode_head(head, plain->data[0] & 0x0f, len, NULL);
        head[0] |= WS_COMPRESSED_BIT;
        f = frame_new(head_len + len);
        frame_add(f, head, head_len);
        frame_add(f, packed.data, len);
    }
    buf_clear(&packed);
    return f;
}
