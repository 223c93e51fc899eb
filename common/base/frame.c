/* Frames: bytes with a count of those who hold them. */
#include "common/base/frame.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"

struct frame *frame_new(size_t cap)
{
    assert(cap <= UINT32_MAX);
    struct frame *f = xmalloc(sizeof *f + cap);
    f->refs = 1;
    f->len = 0;
    f->cap = (uint32_t)cap;
    return f;
}

struct frame *frame_of(struct span s)
{
    struct frame *f = frame_new(s.len);
    frame_add(f, s.ptr, s.len);
    return f;
}

struct frame *frame_ref(struct frame *f)
{
    assert(f->refs > 0 && f->refs < UINT32_MAX);
    f->refs++;
    return f;
}

void frame_unref(struct frame *f)
{
    if (f == NULL)
        return;
    assert(f->refs > 0);
    if (--f->refs == 0)
        free(f);
}

void frame_add(struct frame *f, const void *data, size_t len)
{
    assert(f->refs == 1 && len <= f->cap - f->len);
    if (len == 0)
        return;
    memcpy(f->data + f->len, data, len);
    f->len += (uint32_t)len;
}
