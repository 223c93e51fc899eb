#pragma once
/* How many bytes of clients' messages the room server is known to have read of what a link gave to
 * io: a ping follows them, after RECEIPT_BYTES or RECEIPT_MS, and its pong proves all that went
 * before it.
 * When the link falls, the rest may be lost, but for what comes back (recall.h). */
#include <stddef.h>
#include <stdint.h>

#include "common/base/wheel.h"

struct link;

enum { RECEIPT_MS = 1000, RECEIPT_BYTES = 64 * 1024 };

struct receipt {
    uint64_t given;     /* by the link that stands: bytes of messages; */
    uint64_t read;      /* of them, what the room server has read; */
    uint64_t asked;     /* what it will have read when it answers `ping`; */
    uint64_t came_back; /* what had not been sent when the link fell */
    uint32_t ping;      /* under way; 0: none is */
    struct timer due;   /* of the next ping; not set while one is under way */
};

void receipt_init(struct receipt *r);
/* A link has come up: nothing has been given to it. */
void receipt_start(struct link *l);
/* It was given a message; asks for it if that makes enough. */
void receipt_give(struct link *l, size_t len);
/* There is something to ask for: does so when it is time. */
void receipt_await(struct link *l, int64_t now);
/* Asks at once for all that was given; answers the number of the ping. */
uint32_t receipt_ask(struct link *l);
/* The pings up to `number` are answered. */
void receipt_heard(struct link *l, uint32_t number, int64_t now);
/* The link fell, or is given up: asks for nothing more. */
void receipt_stop(struct link *l);
/* What may be lost of a link that fell, bytes. */
uint64_t receipt_missing(const struct link *l);
