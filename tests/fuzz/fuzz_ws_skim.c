/* The skimmer of frames: where it sees boundaries does not depend on where the input is cut, and it
 * sees all that the decoder sees. The first byte of an input says how it is cut. */
#include <assert.h>

#include "common/base/rng.h"
#include "common/proto/ws_skim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct ws_skim *s)
{
    assert(s->head_len < WS_HEAD_MAX);
    assert(s->in_frame == (s->left > 0) || s->lost);
    assert(!(s->lost && ws_skim_at_boundary(s)));
}

/* Byte by byte: `ends` gets a byte for each of the input's, 1 behind the end of a frame. */
static struct ws_skim walk(struct span input, struct buf *ends)
{
    struct ws_skim s = {0};
    for (size_t i = 0; i < input.len; i++) {
        size_t used = ws_skim_frame(&s, span_slice(input, i, i + 1));
        assert(used == 1);
        check(&s);
        buf_add_char(ends, ws_skim_at_boundary(&s) ? 1 : 0);
    }
    return s;
}

static void cut(struct span input, struct rng *rng, const struct buf *ends)
{
    struct ws_skim s = {0};
    for (size_t at = 0; at < input.len;) {
        size_t n = 1 + (size_t)rng_below(rng, input.len - at);
        size_t used = ws_skim_frame(&s, span_slice(input, at, at + n));
        assert(used > 0 && used <= n);
        at += used;
        check(&s);
        assert(ws_skim_at_boundary(&s) == (ends->data[at - 1] == 1));
        assert(used == n || ws_skim_at_boundary(&s));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct span input = span_of(data + 1, size - 1);
    struct buf ends = {0};
    struct rng rng;
    rng_seed(&rng, data[0]);
    struct ws_skim one = walk(input, &ends), all = {0};
    ws_skim(&all, input);
    assert(all.lost == one.lost &&
           (all.lost || (all.left == one.left && all.closed == one.closed)));
    for (int i = 0; i < 3; i++)
        cut(input, &rng, &ends);
    buf_clear(&ends);
    return 0;
}
