#pragma once
/* Where a request comes from, as far as trusted proxies tell (docs/protocol.md, "What a client
 * cannot fake"). A peer that is not trusted is the client, whatever its headers say. Pure.
 *   X-Forwarded-For, -Proto, -Host count when any of them is there; Forwarded (RFC 7239) only when
 * none is: proxies that know but the older ones let a client's own Forwarded through. Both are
 * walked from the right, each trusted hop vouching for the entry that it appended. */
#include "common/proto/forwarded.h"
#include "common/proto/http_head.h"

enum { WHENCE_HOST_MAX = FORWARDED_HOST_MAX };

struct whence {
    bool trusted;       /* the peer is a proxy that we believe */
    bool https;         /* the client spoke TLS to the outermost trusted proxy */
    struct addr client; /* the first address from the right that no trusted proxy has */
    size_t host_len;    /* 0: no proxy names the Host that it was asked for */
    char host[WHENCE_HOST_MAX];
};

void whence_read(struct whence *out, const struct http_head *h, const struct addr *peer,
                 const struct addr_set *trusted);
/* The Host that the client named, as far as is known; empty: none. Borrowed from both. */
struct span whence_host(const struct whence *w, const struct http_head *h);
