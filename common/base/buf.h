#pragma once
/* A growable run of bytes. The all-zero struct is valid and empty. */
#include "common/base/span.h"

struct buf {
    char *data;
    size_t len;
    size_t cap;
};

/* Room for `extra` more bytes behind len; answers where they start. */
char *buf_reserve(struct buf *b, size_t extra);
void buf_add(struct buf *b, const void *data, size_t len);
static inline void buf_add_span(struct buf *b, struct span s)
{
    buf_add(b, s.ptr, s.len);
}
/* Adds a string literal. */
#define BUF_ADD_LIT(b, literal) buf_add((b), (literal), sizeof(literal) - 1)
void buf_add_char(struct buf *b, char c);
void buf_add_u64(struct buf *b, uint64_t n); /* decimal */
void buf_add_i64(struct buf *b, int64_t n);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
static inline struct span buf_span(const struct buf *b)
{
    return (struct span){.ptr = b->data, .len = b->len};
}
/* Empties it and keeps the memory. */
static inline void buf_reset(struct buf *b)
{
    b->len = 0;
}
/* Empties it and frees the memory. */
void buf_clear(struct buf *b);
