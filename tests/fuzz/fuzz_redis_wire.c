/* What claims to be Redis: however its bytes are cut, they give the same answers, and no answer is
 * larger than it may be. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/net/redis_wire.h"

enum { ANSWER_MAX = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_answer(struct buf *out, const struct redis_answer *a, unsigned depth)
{
    assert(depth <= 8);
    buf_addf(out, "%d %lld %zu %zu ", (int)a->type, (long long)a->integer, a->count, a->text.len);
    buf_add_span(out, a->text);
    for (size_t i = 0; a->type == REDIS_LIST && i < a->count; i++) {
        struct redis_answer item = redis_item(a, i);
        write_answer(out, &item, depth + 1);
    }
}

/* Feeds `step` bytes at a time and writes down what comes out, until it is refused. */
static void read_all(struct buf *out, const char *data, size_t size, size_t step)
{
    struct redis_wire *w = redis_wire_new(SIZE_MAX);
    enum err e = ERR_AGAIN;
    for (size_t at = 0; at < size && e == ERR_AGAIN; at += step) {
        struct redis_answer a;
        size_t len = size - at < step ? size - at : step;
        redis_wire_feed(w, data + at, len);
        while ((e = redis_wire_next(w, &a)) == ERR_OK)
            write_answer(out, &a, 0);
    }
    buf_addf(out, "%s", err_text(e));
    redis_wire_free(w);
}

/* Byte by byte, an answer that is not whole is refused one byte behind the limit. */
static void check_limit(const char *data, size_t size)
{
    struct redis_wire *w = redis_wire_new(ANSWER_MAX);
    enum err e = ERR_AGAIN;
    size_t fed = 0;
    for (size_t i = 0; i < size && e == ERR_AGAIN; i++) {
        struct redis_answer a;
        redis_wire_feed(w, data + i, 1);
        fed++;
        while ((e = redis_wire_next(w, &a)) == ERR_OK)
            fed = 0;
        assert(e != ERR_AGAIN || fed <= ANSWER_MAX);
    }
    redis_wire_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = xspandup(span_of(data, size));
    struct buf whole = {.len = 0}, cut = {.len = 0};
    read_all(&whole, copy, size, size + 1);
    read_all(&cut, copy, size, 1);
    assert(span_eq(buf_span(&whole), buf_span(&cut)));
    check_limit(copy, size);
    buf_clear(&whole);
    buf_clear(&cut);
    free(copy);
    return 0;
}
