#pragma once
/* The frames between a shard and a room server (docs/protocol.md, "Shard and room"): JSON texts
 * that multiplex all clients of a shard over one link. What is written here is always one valid
 * JSON text in valid UTF-8, whatever the ids, headers and URLs hold: anything else would cut the
 * link for everybody. Sans I/O. */
#include "common/base/buf.h"
#include "common/proto/http_head.h"

/* The text of `requestInfo`: {"headers":{…},"url":U,"method":"GET"}. Names are in lower case;
 * duplicates are treated as Node does: joined with ", " (cookie: "; "), of some (host,
 * authorization, content-type, …) the first stands. Values and `url` are Latin-1, as in Node: a
 * byte from 0x80 up is the character of that number. `skip` (may be NULL) says which headers are
 * left out. */
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

/* Reads a frame from the room server, as the reference does: `type` "shard.closeClient" with a
 * truthy `privateId` closes, else a truthy `targetClientId` targets, else it is a broadcast. Only
 * top-level members count, and the last of equal names. A truthy id that is no string finds nobody:
 * DROP. `data` that is a number is sent as it is written (1.0 stays 1.0), an object, array or
 * boolean is not: DROP. So is a text that nests deeper than JSON_DEPTH_MAX.
 * The spans point into `text` or `scratch` (kept by the caller between calls and reused). `strict`:
 * a frame is targeted only if it has no other top-level members than targetClientId and data, and
 * closes only with type and privateId alone (STRICT_ENVELOPE); else it is a broadcast. */
struct envelope envelope_read(struct span text, bool strict, struct buf *scratch);

/* Client text on its way up: removes one leading byte order mark, repairs bad UTF-8 of binary
 * frames, checks the JSON. `*json` points into `raw` or `scratch`.
 * ERR_SYNTAX, ERR_LIMIT (too deep): dropped and counted. */
MUST_CHECK enum err envelope_check_message(struct span raw, bool binary, struct buf *scratch,
                                           struct span *json);

/* What a frame of our own says, for one that comes back unsent. */
struct envelope_up {
    bool message;       /* clientMessage */
    bool disconnected;  /* clientDisconnected; neither: clientConnected */
    struct span client; /* decoded id */
};
/* `text` is one that this file wrote. The span points into `text` or `scratch`. */
struct envelope_up envelope_read_up(struct span text, struct buf *scratch);
