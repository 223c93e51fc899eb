#pragma once
/* HTTP ↔ api: gives core each request when its body is whole, and its answers back to the
 * exchange they belong to. */
#include "common/net/http_server.h"
#include "common/net/responder.h"
#include "common/proto/secret.h"
#include "world/core/api/api.h"
#include "world/io/feed_sockets.h"
#include "world/io/metrics.h"

struct cluster;
struct passage;
struct request;
struct shard_proxy;

struct server_settings {
    struct http_limits limits;
    bool has_back; /* management has a listener of its own: the back door */
    struct http_limits back_limits;
    const struct addr_set *trusted; /* proxies; borrowed */
    const struct secrets *secrets;  /* under which other processes sign (hop_sign.h) */
};

/* Where requests come in. What comes in outside is not answered what is management's. */
struct server_door {
    struct server *server;
    struct http_server *http; /* NULL: there is no such door */
    const struct http_limits *limits;
    bool outside; /* the front door, while there is a back door */
};

struct server {
    struct loop *loop;
    struct core *core;
    struct feed_sockets *feeds;
    struct metrics *metrics;
    const struct server_settings *settings;
    struct shard_proxy *shards; /* NULL: what is for shards is 404. Set behind server_init */
    struct cluster *cluster;    /* NULL: no other process asks. Likewise */
    struct passage *passage;    /* NULL: every world is ours. Likewise */
    struct server_door front, back;
    struct slots requests;
    struct request *spare; /* for reuse, with their memory */
    size_t spare_count;
    struct buf text; /* scratch */
    bool stopping;   /* /readyz says so */
};

/* All are borrowed. http_server_accept is a listener's `accepted`, the door's http its context. */
void server_init(struct server *s, struct loop *l, struct core *core, struct feed_sockets *feeds,
                 struct metrics *metrics, const struct server_settings *settings);
struct reply_port server_reply_port(struct server *s);
/* Not ready any more: connections end with their next answer. */
void server_dismiss(struct server *s);
/* No new requests after those that are under way. */
void server_drain(struct server *s);
/* By both doors. */
size_t server_connections(const struct server *s);
/* Cuts off what is left; the loop must turn once more before server_clear. */
void server_close(struct server *s);
void server_clear(struct server *s);
