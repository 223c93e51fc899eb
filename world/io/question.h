#pragma once
/* Questions of another part of this process to core, by the way that requests take. */
#include "common/base/buf.h"
#include "common/base/slots.h"
#include "common/net/loop.h"

struct request;
struct server;

/* Zero it and set `answered` first. */
struct server_question {
    void (*answered)(struct server_question *q, int status, struct span body); /* borrowed */
    struct buf path;                                                           /* of the request */
    struct handle request;
    struct turn_end told;
    int status;
    struct buf body;
};

/* POSTs `body` to `path` with the shard secret; answered once, at the end of a turn. */
void server_ask(struct server *s, struct server_question *q, struct span path, struct span body);
/* Takes it back, answered or not, and frees what it holds. */
void server_question_drop(struct server *s, struct server_question *q);
/* Has core answer it (once more). */
void question_hand_to_core(struct request *r);
/* Core is still at work: the answer to a request that is a question is told later. */
void question_keep(struct request *r, int status, struct span body);
