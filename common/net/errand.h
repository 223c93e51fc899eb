#pragma once
/* A small request to another process of the cluster: body and answer are held in memory, and it is
 * over within its time. */
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/net/http_client.h"
#include "common/net/loop.h"

/* Embedded in its owner's; all zero: not under way. */
struct errand {
    /* Over, never inside errand_send: ERR_OK, then `status` and `answer` say what came, until the
     * errand is sent again or cleared; ERR_MISSING: no connection, nothing was sent; ERR_IO,
     * ERR_SYNTAX, ERR_TIMEOUT: it may have been obeyed; ERR_FULL: an answer over answer_max. The
     * errand may be sent again, or cleared and freed with its owner, in here. */
    void (*done)(struct errand *e, enum err why);
    size_t answer_max; /* bytes */
    int status;        /* of the answer's head; 0: none has come */
    struct buf answer;

    struct loop *loop; /* the rest is errand.c's */
    struct http_call *call;
    struct timer deadline;
};

/* Sends `head` as http_pool_call wants it, with `body`, if there is any (both copied). Not while it
 * is under way. `timeout_ms` is for all of it. */
void errand_send(struct errand *e, struct loop *l, struct http_pool *pool, struct span head,
                 struct span body, int64_t timeout_ms);
static inline bool errand_is_under_way(const struct errand *e)
{
    return e->call != NULL;
}
/* No more of it; `done` is not called. Frees what it holds. */
void errand_clear(struct errand *e);
