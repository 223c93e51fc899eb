#pragma once
/* Counted frames and queues of them. A frame is bytes ready for the wire, made once and shared by
 * every queue that will send it: a broadcast to 1 000 clients is one frame. */
#include <stdbool.h>
#include <sys/uio.h>

#include "common/base/span.h"

struct frame {
    uint32_t refs;
    uint32_t len;
    uint32_t cap;
    char data[];
};

/* Room for `cap` bytes, len 0, one reference (the caller's). */
struct frame *frame_new(size_t cap);
struct frame *frame_of(struct span s);
struct frame *frame_ref(struct frame *f);
void frame_unref(struct frame *f); /* NULL is allowed */
/* Adds bytes; they must fit (asserted), and nobody else may hold the frame. */
void frame_add(struct frame *f, const void *data, size_t len);

/* What waits to be written. The all-zero struct is valid and empty; an empty queue owns no memory.
 */
struct outq {
    union {
        struct frame *one;   /* while cap is 0: the only frame, if there is one */
        struct frame **ring; /* else */
    };
    uint32_t head, count, cap;
    uint32_t done; /* bytes of the first frame that are written */
    size_t bytes;  /* what is still to be written */
};

/* Takes `f`. */
void outq_push(struct outq *q, struct frame *f);
/* Copies bytes in, behind what is there: into the last frame's spare room if nobody shares it. */
void outq_add(struct outq *q, const void *data, size_t len);
/* Describes the head of the queue for writev(); answers how many iovecs were filled. */
int outq_iovecs(const struct outq *q, struct iovec *iov, int max);
/* Forgets n written bytes (n <= bytes). */
void outq_advance(struct outq *q, size_t n);
/* The oldest frame, which stays the queue's; NULL when empty. */
struct frame *outq_first(const struct outq *q);
/* Takes the oldest frame out (it must be untouched by outq_advance); NULL when empty. The caller
 * gets the reference. */
struct frame *outq_pop(struct outq *q);
/* Drops the oldest frames that `may` allows, except one that is partly written, until `bytes` are
 * gone or there are no more of them. Answers how many. */
uint32_t outq_drop(struct outq *q, bool (*may)(const struct frame *f), size_t bytes);
void outq_clear(struct outq *q);
