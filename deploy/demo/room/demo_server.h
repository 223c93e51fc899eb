#pragma once
/* The demo room server's I/O: shard links, the page, a state read-out. */
#include "common/net/http_server.h"
#include "deploy/demo/room/demo.h"

struct demo_settings {
    char *host;
    int64_t port;
    char *shard_secret;
    char *cluster_urls; /* node origins for the page, comma-separated */
    char *world_id;
    char *room;
};

struct demo_server;
/* `settings` is borrowed for the server's life. NULL: could not listen; *why says why. */
struct demo_server *demo_server_new(struct loop *l, const struct demo_settings *settings,
                                    const char **why);
const char *demo_server_address(const struct demo_server *s);
/* Stops listening and closes the links with 1012; called again: breaks off those that are left.
 * Turn the loop until demo_server_links is 0 before demo_server_free. */
void demo_server_stop(struct demo_server *s);
size_t demo_server_links(const struct demo_server *s);
void demo_server_free(struct demo_server *s);
