#pragma once
/* Allocation that cannot fail: out of memory ends the process with a message, so every size that a
 * stranger controls is checked against a limit before it comes here. Free with free(). */
#include <stddef.h>

#include "common/base/span.h"

/* The struct that holds `member`, from a pointer to the member. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size); /* zeroed */
void *xrealloc(void *ptr, size_t size);
/* Room for `count` items of `size`; the product is checked for overflow. */
void *xreallocarray(void *ptr, size_t count, size_t size);
char *xstrdup(const char *text);
/* A copy of `s` with a NUL behind it. */
char *xspandup(struct span s);
/* The same as a span; free it with span_free. */
struct span span_copy(struct span s);
void span_free(struct span s);
