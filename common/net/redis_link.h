#pragma once
/* A connection to a process that speaks RESP: a Redis server or a Sentinel. It knows nothing of
 * what is said. For redis.c and redis_seek.c. */
#include "common/net/loop.h"
#include "common/net/redis_wire.h"
#include "common/proto/url.h"

struct redis_link;

/* Any of them may free the link, or take it. */
struct redis_link_ops {
    void (*connected)(void *ctx);
    /* Borrowed until return, also when the link is freed in there. */
    void (*answer)(void *ctx, const struct redis_answer *a);
    /* It is over, and nothing but redis_link_free is left to do; `why` is static. */
    void (*ended)(void *ctx, const char *why);
};

/* Resolves and dials `to` (borrowed until it is connected or freed). Never calls back before it
 * returns. It has no deadlines of its own. */
struct redis_link *redis_link_open(struct loop *l, const struct url_origin *to,
                                   const struct redis_link_ops *ops, void *ctx);
/* From now on somebody else hears of it, and takes answers up to `answer_max` bytes. */
void redis_link_take(struct redis_link *k, const struct redis_link_ops *ops, void *ctx,
                     size_t answer_max);
/* Sends the bytes of commands (redis_wire_begin) at the end of the turn. */
void redis_link_send(struct redis_link *k, struct span bytes);
/* Closes it; no more callbacks. */
void redis_link_free(struct redis_link *k);
