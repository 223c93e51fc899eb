#pragma once
/* The servers of mode pass: each with its connections for HTTP, and whether it could be reached
 * lately. Nobody probes them: a client that could not connect says so. */
#include "common/base/map.h"
#include "common/net/http_client.h"
#include "common/proto/origins.h"

enum {
    PASS_OVER_MS = 3000, /* one that could not be reached is tried after all others for so long */
    PASS_SERVERS_MAX = 4096,
};

struct pass_server {
    struct url_origin origin;
    char *text; /* the key: its one spelling */
    struct http_pool *requests;
    int64_t bad_until_ms;
};

struct pass_servers {
    struct loop *loop;
    struct http_pool_settings settings;
    struct map by_text;
    struct buf scratch;
};

/* `answer_ms`: for an answer to begin, and between its parts. */
void pass_servers_init(struct pass_servers *s, struct loop *l, int64_t answer_ms);
/* Cancels what is under way, without callbacks; it is gone when the loop has turned. */
void pass_servers_clear(struct pass_servers *s);
/* The one at an origin, for the life of the process; NULL: PASS_SERVERS_MAX are there. */
struct pass_server *pass_servers_get(struct pass_servers *s, const struct url_origin *origin);
/* The next one of a list for a key: by rendezvous hashing, as origins_choose, those that could not
 * be reached lately last. `tried` holds those that this client has tried, and gets the answer;
 * NULL: none is left. */
struct pass_server *pass_servers_next(struct pass_servers *s, const struct origins *list,
                                      struct span key, struct buf *tried);
/* It could not be reached; `why` is for the log. */
void pass_server_failed(struct pass_servers *s, struct pass_server *server, const char *why);
