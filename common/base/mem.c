/* Allocation that ends the process when there is no memory: nobody above has a way to go on, and
 * every size that a stranger controls was limited before. */
#include "common/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn static void mem_die(size_t size)
{
    (void)fprintf(stderr, "out of memory (%zu bytes)\n", size);
    abort();
}

void *xmalloc(size_t size)
{
    void *ptr = malloc(size == 0 ? 1 : size);
    if (ptr == NULL)
        mem_die(size);
    return ptr;
}

void *xcalloc(size_t count, size_t size)
{
    void *ptr = count == 0 || size == 0 ? calloc(1, 1) : calloc(count, size);
    if (ptr == NULL)
        mem_die(size);
    return ptr;
}

void *xrealloc(void *ptr, size_t size)
{
    void *grown = realloc(ptr, size == 0 ? 1 : size);
    if (grown == NULL)
        mem_die(size);
    return grown;
}

void *xreallocarray(void *ptr, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        mem_die(SIZE_MAX);
    return xrealloc(ptr, total);
}

char *xstrdup(const char *text)
{
    return xspandup(span_str(text));
}

char *xspandup(struct span s)
{
    if (s.len == SIZE_MAX)
        mem_die(s.len);
    char *copy = xmalloc(s.len + 1);
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

struct span span_copy(struct span s)
{
    return span_of(xspandup(s), s.len);
}

void span_free(struct span s)
{
    free((void *)(uintptr_t)s.ptr);
}
