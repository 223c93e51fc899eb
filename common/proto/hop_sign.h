#pragma once
/* Signed headers of a request between processes of one cluster (docs/protocol.md, "Between
 * processes"): who let it in, and for whom.
 *   x-terrane-hop: {entry, percent-encoded}, with `;world` behind it when a world passes on what
 *     another process decides for, and then `;{epoch}` if it knows one
 *   x-terrane-client: {ip}
 *   x-terrane-sign: v1 {unix ms} {hex HMAC-SHA-256 of
 * "v1\n{ms}\n{METHOD}\n{target}\n{hop}\n{client}"} under the first of the cluster's shared secrets;
 * any of them is good at the other end. */
#include "common/proto/addr.h"
#include "common/proto/http_head.h"
#include "common/proto/secret.h"

/* How far the clocks of two processes may be apart, the way of the request included. */
enum { HOP_SIGN_AGE_MS = 60 * 1000, HOP_SIGN_ENTRY_MAX = 512 };

struct hop_sign {
    struct span method, target; /* as they are sent */
    struct span entry;          /* id of the process that the client is connected to */
    struct span client_ip;
    bool by_world; /* a world passes it on to the one that decides */
    int64_t epoch; /* by_world: the highest epoch of the world that it has seen; 0: none */
};
/* Appends the three lines. `secrets` is not empty. */
void hop_sign_add(struct buf *out, const struct secrets *secrets, const struct hop_sign *s,
                  int64_t wall_ms);

struct hop_signed {
    char entry[HOP_SIGN_ENTRY_MAX]; /* decoded, entry_len bytes */
    size_t entry_len;
    struct addr client;
    bool by_world; /* it is not passed on once more */
    int64_t epoch; /* as above */
};
/* What a received request says. ERR_MISSING: none of the three headers is there; ERR_DENIED: one is
 * missing or there twice, the signature is not by one of `secrets` over this request, or what was
 * signed is no address, an entry longer than HOP_SIGN_ENTRY_MAX or a mark that is not known;
 * ERR_EXPIRED: it is good, but made more than HOP_SIGN_AGE_MS before or after `wall_ms`. Neither is
 * to be obeyed. *out is set with ERR_OK only. */
/* The error that is answered, with 403, to ERR_DENIED and to ERR_EXPIRED. */
#define HOP_SIGN_BAD  "Bad internal signature"
#define HOP_SIGN_LATE "Internal signature is out of time: see the clocks"
MUST_CHECK enum err hop_sign_check(const struct http_head *h, const struct secrets *secrets,
                                   int64_t wall_ms, struct hop_signed *out);
