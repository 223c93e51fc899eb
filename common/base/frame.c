/* Frames: bytes with a count of those who hold them. */
#include "common/base/frame.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"

/* Most frames are small and live for one turn of the loop; malloc's own quick lists hold seven of a
 * size. So some are kept, but not where a checker is to see each use of a freed one. */
enum { SMALL_BYTES = 256, KEPT_MAX = 1024 };

struct kept {
    struct kept *next;
};
static struct kept *kept;
static size_t kept_count;

static bool is_small(size_t cap)
{
#ifdef TERRANE_CHECK
    return cap > SIZE_MAX; /* never */
#else
    return cap <= SMALL_BYTES - sizeof(struct frame);
#endif
}

static void *frame_memory(size_t cap)
{
    if (!is_small(cap))
        return xmalloc(sizeof(struct frame) + cap);
    struct kept *first = kept;
    if (first == NULL)
        return xmalloc(SMALL_BYTES);
    kept = first->next;
    kept_count--;
    return first;
}

static void frame_free(struct frame *f)
{
    struct kept *k = (struct kept *)(void *)f;
    if (!is_small(f->cap) || kept_count == KEPT_MAX) {
        free(f);
        return;
    }
    k->next = kept;
    kept = k;
    kept_count++;
}

struct frame *frame_new(size_t cap)
{
    assert(cap <= UINT32_MAX);
    struct frame *f = frame_memory(cap);
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
        frame_free(f);
}

void frame_add(struct frame *f, const void *data, size_t len)
{
    assert(f->refs == 1 && len <= f->cap - f->len);
    if (len == 0)
        return;
    memcpy(f->data + f->len, data, len);
    f->len += (uint32_t)len;
}
