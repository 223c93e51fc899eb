#pragma once
/* What a process that does not decide for a world says: to whoever asks it, and to the process that
 * does (docs/protocol.md, "Between processes"). */
#include "common/base/buf.h"
#include "common/proto/addr.h"
#include "common/proto/http_head.h"
#include "common/proto/secret.h"
#include "world/core/api/api.h"

/* 421, to who must not be passed on again. */
#define ELSEWHERE_TEXT "Another process decides for this world"
/* Appends its lines: `owner` is an origin, empty: nobody knows; `epoch` 0: likewise. */
void elsewhere_add_lines(struct buf *out, struct span owner, int64_t epoch);

/* A request on its way to the process that decides. All borrowed. */
struct elsewhere_request {
    const struct secrets *secrets; /* the cluster's */
    struct span id;                /* of this process */
    const struct addr *client, *peer;
    int64_t epoch; /* the highest of the world that is known here */
    bool upgrade;  /* ask for a WebSocket */
    bool trusted_peer;
};
/* Appends its head as hop_add_peer_request does, marked as passed on by a world. */
void elsewhere_add_request(struct buf *out, const struct http_head *h,
                           const struct elsewhere_request *to);

/* 503 */
#define NOBODY_LINES "Retry-After: 1\r\n"
#define NOBODY_TEXT  "No process decides for this world just now"
