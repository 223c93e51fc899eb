/* The growable buffer. Doubles, so that adding n bytes one by one costs O(n). */
#include "common/base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"

enum { BUF_CAP_MIN = 64, DIGITS_MAX = 20 };

char *buf_reserve(struct buf *b, size_t extra)
{
    if (b->cap - b->len >= extra && b->data != NULL)
        return b->data + b->len;
    assert(extra <= SIZE_MAX / 2 - b->len);
    size_t need = b->len + extra;
    size_t cap = b->cap < BUF_CAP_MIN ? BUF_CAP_MIN : b->cap * 2;
    b->cap = cap < need ? need : cap;
    b->data = xrealloc(b->data, b->cap);
    return b->data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    if (len == 0)
        return;
    memcpy(buf_reserve(b, len), data, len);
    b->len += len;
}

void buf_add_char(struct buf *b, char c)
{
    *buf_reserve(b, 1) = c;
    b->len++;
}

void buf_add_u64(struct buf *b, uint64_t n)
{
    char digits[DIGITS_MAX];
    size_t at = DIGITS_MAX;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    buf_add(b, digits + at, DIGITS_MAX - at);
}

void buf_add_i64(struct buf *b, int64_t n)
{
    if (n < 0)
        buf_add_char(b, '-');
    /* Negated as unsigned, because -INT64_MIN is no int64_t. */
    buf_add_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    (void)buf_reserve(b, 1);
    int len = vsnprintf(b->data + b->len, b->cap - b->len, fmt, args);
    assert(len >= 0);
    if ((size_t)len >= b->cap - b->len)
        (void)vsnprintf(buf_reserve(b, (size_t)len + 1), (size_t)len + 1, fmt, again);
    b->len += (size_t)len;
    va_end(again);
    va_end(args);
}

void buf_clear(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.data = NULL};
}
