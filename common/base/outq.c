/* The out-queue: one frame, which is what most queues ever hold, or a ring of frames, made at the
 * second push and freed with the last frame. So an idle connection owns no memory. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/frame.h"
#include "common/base/mem.h"

/* Small bytes that are added one after another share a frame. The first is small enough for
 * malloc's fast bins, each next one TAIL_GROWTH times as large as the last. */
enum { RING_CAP_MIN = 4, TAIL_CAP_MIN = 1000, TAIL_CAP_MAX = 64 * 1024, TAIL_GROWTH = 4 };

static struct frame *outq_at(const struct outq *q, uint32_t i)
{
    if (q->cap == 0)
        return q->one;
    return q->ring[(q->head + i) & (q->cap - 1)]; /* cap is a power of two */
}

static void outq_grow(struct outq *q)
{
    assert(q->cap <= UINT32_MAX / 2);
    uint32_t cap = q->cap == 0 ? RING_CAP_MIN : q->cap * 2;
    struct frame **ring = xreallocarray(NULL, cap, sizeof(struct frame *));
    for (uint32_t i = 0; i < q->count; i++)
        ring[i] = outq_at(q, i);
    if (q->cap > 0)
        free(q->ring);
    q->ring = ring;
    q->cap = cap;
    q->head = 0;
}

/* Takes the head out, without dropping it. */
static struct frame *outq_shift(struct outq *q)
{
    struct frame *f = outq_at(q, 0);
    q->done = 0;
    q->head = (q->head + 1) & (q->cap - 1);
    if (--q->count == 0) {
        if (q->cap > 0)
            free(q->ring);
        q->one = NULL;
        q->head = q->cap = 0;
    }
    return f;
}

/* A frame for at least `len` more bytes behind `last` (which may be NULL). */
static struct frame *outq_tail(const struct frame *last, size_t len)
{
    size_t cap = TAIL_CAP_MIN;
    if (last != NULL && last->cap >= TAIL_CAP_MIN)
        cap = last->cap < TAIL_CAP_MAX / TAIL_GROWTH ? last->cap * TAIL_GROWTH : TAIL_CAP_MAX;
    return frame_new(cap < len ? len : cap);
}

void outq_push(struct outq *q, struct frame *f)
{
    if (q->count > 0 && q->count >= q->cap)
        outq_grow(q);
    if (q->cap == 0)
        q->one = f;
    else
        q->ring[(q->head + q->count) & (q->cap - 1)] = f;
    q->count++;
    q->bytes += f->len;
}

void outq_add(struct outq *q, const void *data, size_t len)
{
    if (len == 0)
        return;
    const char *at = data;
    struct frame *last = q->count == 0 ? NULL : outq_at(q, q->count - 1);
    if (last != NULL && last->refs == 1) {
        size_t room = last->cap - last->len, part = len < room ? len : room;
        frame_add(last, at, part);
        q->bytes += part;
        at += part;
        len -= part;
    }
    if (len == 0)
        return;
    struct frame *tail = outq_tail(last, len);
    frame_add(tail, at, len);
    outq_push(q, tail);
}

int outq_iovecs(const struct outq *q, struct iovec *iov, int max)
{
    int filled = 0;
    for (uint32_t i = 0; i < q->count && filled < max; i++, filled++) {
        struct frame *f = outq_at(q, i);
        uint32_t from = i == 0 ? q->done : 0;
        iov[filled] = (struct iovec){.iov_base = f->data + from, .iov_len = f->len - from};
    }
    return filled;
}

void outq_advance(struct outq *q, size_t n)
{
    assert(n <= q->bytes);
    q->bytes -= n;
    while (q->count > 0) {
        size_t left = outq_at(q, 0)->len - q->done;
        if (n < left) {
            q->done += (uint32_t)n;
            return;
        }
        n -= left;
        frame_unref(outq_shift(q));
    }
}

struct frame *outq_first(const struct outq *q)
{
    return q->count == 0 ? NULL : outq_at(q, 0);
}

struct frame *outq_pop(struct outq *q)
{
    assert(q->done == 0);
    if (q->count == 0)
        return NULL;
    struct frame *f = outq_shift(q);
    q->bytes -= f->len;
    return f;
}

/* Takes frame `i` out; those before it move up by one. There are at least two frames. */
static struct frame *outq_cut(struct outq *q, uint32_t i)
{
    uint32_t mask = q->cap - 1;
    struct frame *f = outq_at(q, i);
    for (; i > 0; i--)
        q->ring[(q->head + i) & mask] = q->ring[(q->head + i - 1) & mask];
    q->head = (q->head + 1) & mask;
    q->count--;
    return f;
}

uint32_t outq_drop(struct outq *q, bool (*may)(const struct frame *f), size_t bytes)
{
    size_t gone = 0;
    uint32_t dropped = 0, i = q->done > 0 ? 1 : 0;
    while (i < q->count && gone < bytes) {
        struct frame *f = outq_at(q, i);
        if (!may(f)) {
            i++;
            continue;
        }
        f = q->count > 1 ? outq_cut(q, i) : outq_shift(q);
        gone += f->len;
        q->bytes -= f->len;
        dropped++;
        frame_unref(f);
    }
    return dropped;
}

void outq_clear(struct outq *q)
{
    while (q->count > 0)
        frame_unref(outq_shift(q));
    q->bytes = 0;
}
