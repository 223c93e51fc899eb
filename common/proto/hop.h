#pragma once
/* HTTP hop rules (RFC 9110 section 7.6; docs/reference.md section 4, "HTTP proxy"): which headers
 * of a client's request reach a room server or a world, what is added and replaced there, and which
 * headers of an answer reach the client. Text in, text out. */
#include "common/base/buf.h"
#include "common/proto/http_head.h"
#include "common/proto/secret.h"

/* May a header of a client be believed? Never: x-access-shard and x-terrane-*. Only when the peer
 * is trusted (`trusted_peer`): x-shard-*, x-original-client-ip, x-forwarded-* and forwarded. `_` in
 * a name counts as `-`. */
bool hop_is_believed(const struct http_header *header, bool trusted_peer);

/* Appends text as a header value: as it is when it is printable ASCII without blanks at its ends,
 * else percent-encoded as encodeURIComponent does, for ids hold whatever a URL can carry. */
void hop_add_value(struct buf *out, struct span text);

/* Appends the values of all headers of that name, joined with ", ". */
void hop_add_joined(struct buf *out, const struct http_head *h, struct span name);

/* A request on its way to a room server. */
struct hop_room {
    struct span room, shard_id, world; /* decoded */
    struct span path;   /* behind the room, raw: empty or with its slash; dot segments would climb
                           into other rooms, so they are resolved already (url_split_party) */
    struct span query;  /* raw; {NULL, 0}: none */
    struct span secret; /* of the shard */
    struct span client_ip;
    struct span subject, claims; /* of the client's token; empty: none */
    bool trusted_peer;
};
/* Appends a request head without Host, framing headers and the blank line:
 * `METHOD /parties/main/{room}{path}?{query}`, the client's headers, then those of a shard. Every
 * method but GET and HEAD gets `content-type: text/plain;charset=UTF-8` when it names none. */
void hop_add_room_request(struct buf *out, const struct http_head *h, const struct hop_room *to);

/* A request on its way past the rooms, to a server that knows nothing of us (mode pass). */
struct hop_pass {
    struct span path, query;           /* raw; no query: {NULL, 0} */
    struct span shard_id, room, world; /* decoded; no shard: all empty */
    struct span secret;                /* empty: it is not told */
    struct span client_ip;             /* where the request began */
    struct span peer_ip; /* goes behind what a trusted peer said in x-forwarded-for; empty: none */
    struct span host;    /* as the client named it */
    struct span subject, claims; /* of the client's token; empty: none */
    bool https;                  /* the client spoke TLS */
    bool upgrade;                /* ask for a WebSocket, as the client did; else a request */
    bool trusted_peer;
};
/* Appends a request head without Host, framing headers and the blank line: method, path and query
 * as they came, the client's headers but those that only we write (x-shard-*, x-access-shard,
 * x-terrane-*), and x-forwarded-for, -proto and -host. */
void hop_add_pass_request(struct buf *out, const struct http_head *h, const struct hop_pass *to);

/* Percent-encoded; a ticket is for that shard (docs/protocol.md, "Tickets"). */
#define HOP_DIALLED "x-terrane-dialled"

/* A request on its way to another process of the cluster, which will answer it in our place. */
struct hop_peer {
    const struct secrets *secrets; /* the cluster's; the first signs (hop_sign.h) */
    struct span entry;             /* our own id */
    struct span client_ip;         /* where the request began, as far as trusted proxies tell */
    struct span peer_ip; /* to_world: goes behind what a trusted peer said in x-forwarded-for */
    struct span host;    /* to a node: as the client named it, for x-terrane-host */
    struct span dialled; /* to a node: the shard that the client named, decoded, if the path names
                            another one in its place; for x-terrane-dialled */
    struct span path;    /* in place of the target's; {NULL, 0}: as it came */
    int64_t wall_ms;
    bool to_world; /* x-access-shard and x-shard-*, a client's own credentials there, pass */
    bool by_world; /* struct hop_sign, */
    int64_t epoch; /* likewise */
    bool https;    /* to a node: the client spoke TLS, for x-terrane-proto */
    bool upgrade;  /* ask for a WebSocket; else it is an ordinary request */
    bool trusted_peer;
};
/* Appends a request head without Host, framing headers and the blank line: method and target as
 * they came (an absolute target without its origin), the client's headers as far as it may be
 * believed (hop_is_believed), the signed headers, and for a world x-forwarded-for. A node gets
 * what lets it show its room the request as the client sent it: x-terrane-host, x-terrane-proto,
 * and Connection and Upgrade as they were. */
void hop_add_peer_request(struct buf *out, const struct http_head *h, const struct hop_peer *to);

/* Appends the lines of an answer that go on to the client: all but those of one hop, those that the
 * server adds by itself (Content-Length, Date), x-terrane-*, and the secret if someone echoes it.
 */
void hop_add_answer(struct buf *out, const struct http_head *h);
