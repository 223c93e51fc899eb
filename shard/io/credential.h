#pragma once
/* Where clients show tokens and tickets, and what their requests are without them. Pure. */
#include "common/proto/http_head.h"

enum credential {
    CREDENTIAL_TOKEN,  /* `Authorization: Bearer T`, `?token=T`, or the subprotocol `token.T` */
    CREDENTIAL_TICKET, /* `?ticket=T`, or the subprotocol `ticket.T` */
};

/* Appends the one that a request shows. `query` is raw, or {NULL, 0}; subprotocols count in an
 * upgrade only (`is_socket`). ERR_MISSING: it shows none; ERR_DENIED: several, and nobody is to
 * guess which of them counts. */
MUST_CHECK enum err credential_read(struct buf *out, const struct http_head *h, struct span query,
                                    bool is_socket, enum credential kind);

/* The query without `token` and `ticket`: `query` itself, or in `out`, which is emptied first;
 * {NULL, 0}: nothing is left. */
struct span credential_cut_query(struct span query, struct buf *out);
/* Leaves one Sec-WebSocket-Protocol in the head, with what is offered besides tokens and tickets,
 * or none. Its value is in `out`, which is emptied first. */
void credential_cut_protocols(struct http_head *h, struct buf *out);
/* The subprotocol to answer with: the first that is none of ours, else `terrane`, if it is offered,
 * else {NULL, 0}. */
struct span credential_protocol(const struct http_head *h);
