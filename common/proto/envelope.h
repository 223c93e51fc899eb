#pragma once
/* The frames between a shard and a room server (REFERENCE: docs/protocol.md, "Shard and room"):
 * JSON texts that multiplex all clients of a shard over one link. Sans I/O. */
#include "common/base/buf.h"
#include "common/proto/http_head.h"

/* The text of `requestInfo`: {"headers":{…},"url":U,"method":"GET"}. Header names in lower case,
 * duplicates joined with ", " (cookie: "; "); `skip` (may be NULL) says which headers are left out.
 */
void envelope_add_request_info(struct buf *out, const struct http_head *h, struct span url,
                               bool (*skip)(void *ctx, const struct http_header *header),
                               void *ctx);

void envelope_add_connected(struct buf *out, struct span private_id, struct span request_info);
/* `json` is one checked JSON text; it goes in as it is. */
void envelope_add_message(struct buf *out, struct span private_id, struct span json);
void envelope_add_disconnected(struct buf *out, struct span private_id);

enum envelope_kind {
    ENVELOPE_BROADCAST, /* the original text, byte for byte, to all sockets */
    ENVELOPE_TARGETED,  /* `data` to every socket of `client` */
    ENVELOPE_CLOSE,     /* close all sockets of `client` */
    ENVELOPE_DROP,      /* not JSON, null, empty, or data that cannot be sent */
};

struct envelope {
    enum envelope_kind kind;
    struct span client; /* decoded id */
    struct span data;   /* TARGETED: the payload, decoded */
    bool binary;        /* TARGETED: an empty binary frame (data missing or null) */
};

/* Reads a frame from the room server. The spans point into `text` or `scratch` (kept by the caller
 * between calls and reused). `strict`: a frame is targeted only if it has no other top-level
 * members than targetClientId and data, and closes only with type and privateId alone
 * (STRICT_ENVELOPE). */
struct envelope envelope_read(struct span text, bool strict, struct buf *scratch);

/* Client text on its way up: removes one leading byte order mark, repairs bad UTF-8 of binary
 * frames into `scratch`, checks the JSON. ERR_SYNTAX, ERR_LIMIT (too deep): dropped and counted. */
MUST_CHECK enum err envelope_check_message(struct span raw, bool binary, struct buf *scratch,
                                           struct span *json);
