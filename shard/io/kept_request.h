#pragma once
/* An upgrade request that outlives its exchange: the client has its 101, and is to be joined with a
 * server only later. */
#include "common/proto/ws_handshake.h"
#include "shard/io/arrival.h"

struct kept_request {
    struct http_exchange x; /* none: only its head and peer are there, for struct arrived */
    struct http_head head;
    struct route route;
    struct sender from;
    struct buf text, scratch; /* what the others point into */
    char key[WS_KEY_LEN];
    struct span protocol; /* what the client was told to speak; may be {NULL, 0} */
};

/* Keeps what goes further of `a`: `protocol` is the only subprotocol that is offered there, and no
 * extension is, because none of them could be told to the client any more. *k is all zero. */
void kept_request_take(struct kept_request *k, const struct arrived *a, const struct routes *routes,
                       struct span protocol);
void kept_request_clear(struct kept_request *k);
