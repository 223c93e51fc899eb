#pragma once
/* RESP 2 (https://redis.io/docs/latest/develop/reference/protocol-spec/), without a socket: answers
 * out of bytes, commands into bytes. Nothing that comes in is trusted: sizes, counts and nesting
 * have limits. The only user of hiredis (docs/decisions/012-hiredis.md). */
#include "common/base/buf.h"
#include "common/net/redis_answer.h"

enum {
    REDIS_ITEMS_MAX = 4 << 20,         /* of one answer, nested ones among them */
    REDIS_ANSWER_MAX = 128 << 20,      /* bytes of one answer */
    REDIS_FIRST_ANSWER_MAX = 64 << 10, /* the same while the peer may be anything */
};

struct redis_wire;

struct redis_wire *redis_wire_new(size_t answer_max);
void redis_wire_free(struct redis_wire *w);
void redis_wire_set_max(struct redis_wire *w, size_t answer_max);
void redis_wire_feed(struct redis_wire *w, const char *data, size_t len);
/* The next whole answer, borrowed until the next call. ERR_AGAIN: more bytes are needed;
 * ERR_SYNTAX: this is not RESP 2; ERR_LIMIT: larger than it may be. The last two are for ever. */
MUST_CHECK enum err redis_wire_next(struct redis_wire *w, struct redis_answer *out);

/* A command: the number of its words, then all of them, in any number of calls. */
void redis_wire_begin(struct buf *out, size_t count);
void redis_wire_add(struct buf *out, const struct span *words, size_t count);
