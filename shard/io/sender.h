#pragma once
/* Who a request comes from: a client, directly or through trusted proxies, or another process of
 * the cluster on a client's behalf (docs/protocol.md, "Between processes"). */
#include "common/proto/secret.h"
#include "common/proto/whence.h"

struct sender {
    bool hopped;        /* another process let it in */
    bool trusted;       /* what it says of the way so far is believed (hop_is_believed) */
    bool https;         /* the client spoke TLS, as far as is known */
    struct addr client; /* where the request began */
    size_t host_len;    /* 0: the Host is the client's own */
    char host[WHENCE_HOST_MAX];
};

/* `peer` is the connection's other end, `tls` what it spoke, `trusted` the proxies to
 * believe, `secrets` the cluster's.
 * ERR_DENIED, ERR_EXPIRED: it claims to come from another process, and what it shows for that is as
 * hop_sign_check says (403). */
MUST_CHECK enum err sender_read(struct sender *out, const struct http_head *h,
                                const struct addr *peer, const struct addr_set *trusted,
                                const struct secrets *secrets, bool tls, int64_t wall_ms);
/* The Host that the client named; borrowed from both. */
struct span sender_host(const struct sender *s, const struct http_head *h);
