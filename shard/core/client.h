#pragma once
/* One socket of a session. */
#include "common/base/list.h"
#include "shard/core/node.h"

struct session;

/* What an idle client costs, so it is kept small: one allocation with its request info. */
struct client {
    struct list in_shard;   /* in order of arrival */
    struct list in_session; /* likewise */
    struct session *session;
    struct handle self;
    int64_t arrived_ms;
    int64_t paused_ms; /* when it was, if it is */
    uint32_t request_info_len;
    bool told;    /* a room has had its clientConnected */
    bool paused;  /* we do not read from it: its link is full (pressure.h) */
    bool parting; /* nor then: a drain is about to close it (parting.h) */
    bool follows; /* it passes to the server that the link would go to */
    char request_info[];
};

/* Registers a new socket with its session, shard and node. Borrows and copies `request_info`, which
 * those who pass have none of. */
struct client *client_open(struct session *s, struct span request_info, int64_t now);
/* One that is registered nowhere, for a session that never had a socket here; freed with free(). */
struct client *client_absent(struct span request_info);
static inline struct span client_request_info(const struct client *c)
{
    return (struct span){.ptr = c->request_info, .len = c->request_info_len};
}

/* The socket is gone: forgets the client, tells the room if it was its session's last, and frees
 * it. The caller reports the new count. */
void client_forget(struct client *c, enum node_reason why, int64_t now);
/* client_forget, and has io close the socket with the reason's code and words. */
void client_close(struct client *c, enum node_reason why, int64_t now);
/* The same, with other words. */
void client_close_saying(struct client *c, enum node_reason why, struct span words, int64_t now);

/* Its link is full; or has room again. Nothing happens when that is known. */
void client_pause(struct client *c, int64_t now);
void client_resume(struct client *c);
/* It will not be read any more; one that passes goes on until it is closed. */
void client_set_parting(struct client *c);
