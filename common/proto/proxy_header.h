#pragma once
/* The PROXY protocol, versions 1 and 2 (HAProxy's "The PROXY protocol", sections 2.1 and 2.2): what
 * a load balancer says first on a connection that it makes for a client. Pure. */
#include <stdbool.h>

#include "common/proto/addr.h"

/* Version 1: with its CRLF; version 2: with the TLVs behind the addresses, which are skipped. */
enum { PROXY_HEADER_V1_MAX = 107, PROXY_HEADER_MAX = 536 };

struct proxy_header {
    size_t len;       /* bytes of it */
    bool names_peer;  /* `from` is where the connection began; else it is the peer's own: LOCAL, */
    struct addr from; /* UNKNOWN, or not TCP over IP */
    uint16_t port;
};

/* Reads the header that `data` begins with. ERR_AGAIN: there is more to come, and so far it is one;
 * ERR_SYNTAX: it is none; ERR_LIMIT: longer than allowed. */
MUST_CHECK enum err proxy_header_read(struct proxy_header *out, const char *data, size_t len);
