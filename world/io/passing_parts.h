#pragma once
/* One request that is passed on, for the files that do it: passing.c (the request) and
 * passing_answer.c. */
#include "world/io/passing.h"
#include "world/io/request.h"

struct passing {
    struct seeker seeker;
    struct list node;
    struct passings *all;
    struct request *request;
    const struct responder_ops *before; /* the request's own */
    int64_t begun_us;
    bool repeatable;

    struct lane_place lane;
    struct http_call *call;
    size_t sent; /* of the body */

    struct buf lines, kept; /* of the answer */
    int64_t length;         /* of its body; -1: not known */
    int status;             /* 0: none yet */
    bool streams;           /* the client has its head */
};

extern const struct http_call_ops passing_call_ops;

/* Sends what there is room for. */
void passing_send(struct passing *p);
/* It was sent, nobody knows whether it was obeyed, and it may not be sent again. */
void passing_break(struct passing *p);
/* Forgets the answer so far, and the call. */
void passing_drop_call(struct passing *p);
