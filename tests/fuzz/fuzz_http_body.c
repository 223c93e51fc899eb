/* Bodies: content, end and error do not depend on where the input is cut, and what is framed as
 * chunks is read back. The first byte of an input names the kind, the second how it is cut, the
 * third a length. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/proto/http_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PREFIX = 3, KINDS = 4 };

struct result {
    struct buf content;
    size_t used;
    enum err error;
    bool done;
};

static void read_piece(struct http_body *b, struct span piece, struct result *r)
{
    char *copy = xspandup(piece);
    for (size_t at = 0; at < piece.len && !b->done && r->error == ERR_OK;) {
        size_t used;
        struct span part;
        r->error = http_body_read(b, copy + at, piece.len - at, &used, &part);
        assert(used > 0 && used <= piece.len - at);
        assert(part.len <= used);
        at += used;
        r->used += used;
        buf_add_span(&r->content, part);
    }
    free(copy);
}

/* Reads `input` in random pieces, or at once when `rng` is NULL. */
static struct result read_all(struct span input, enum http_body_kind kind, uint64_t length,
                              struct rng *rng)
{
    struct result r = {.used = 0};
    struct http_body b;
    http_body_start(&b, kind, length);
    for (size_t at = 0; at < input.len && r.error == ERR_OK;) {
        size_t most = input.len - at;
        size_t n = rng == NULL ? most : 1 + (size_t)rng_below(rng, most < 12 ? most : 12);
        read_piece(&b, span_slice(input, at, at + n), &r);
        at += n;
    }
    r.done = b.done;
    return r;
}

static void check_round_trip(struct span input, struct rng *rng)
{
    struct buf framed = {.len = 0};
    for (size_t at = 0; at < input.len;) {
        size_t n = 1 + (size_t)rng_below(rng, input.len - at);
        http_body_add_chunk(&framed, span_slice(input, at, at + n));
        at += n;
    }
    http_body_add_chunk(&framed, (struct span){.ptr = NULL});
    struct result r = read_all(buf_span(&framed), HTTP_BODY_CHUNKED, 0, rng);
    assert(r.error == ERR_OK && r.done && r.used == framed.len);
    assert(span_eq(buf_span(&r.content), input));
    buf_clear(&r.content);
    buf_clear(&framed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < PREFIX)
        return 0;
    enum http_body_kind kind = (enum http_body_kind)(data[0] % KINDS);
    struct span input = span_of(data + PREFIX, size - PREFIX);
    struct rng rng;
    rng_seed(&rng, data[1]);
    struct result whole = read_all(input, kind, data[2], NULL);
    struct result cut = read_all(input, kind, data[2], &rng);
    assert(whole.error == cut.error && whole.done == cut.done && whole.used == cut.used);
    assert(span_eq(buf_span(&whole.content), buf_span(&cut.content)));
    assert(kind == HTTP_BODY_CHUNKED || whole.error == ERR_OK);
    buf_clear(&whole.content);
    buf_clear(&cut.content);
    check_round_trip(input, &rng);
    return 0;
}
