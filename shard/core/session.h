#pragma once
/* A client identity at a shard: one or more sockets under one id. A session whose last socket left
 * while the room could not be told stays on as a *ghost* until the room has heard of its leaving.
 */
#include "common/base/list.h"
#include "common/base/span.h"
#include "shard/core/node.h"

struct client;
struct shard;

struct session {
    struct shard *shard;
    struct list clients;   /* in order of arrival; empty: a ghost */
    struct list in_ghosts; /* of the link, in order of leaving; also of those that parted */
    struct list in_news;   /* of the shard's tidings: its world has not confirmed that it came */
    uint64_t parted_at;    /* link.written behind its leaving */
    struct client *last;   /* a ghost's last socket, kept for its request info; else NULL */
    uint32_t queued;       /* its messages in the backlog */
    uint32_t id_len;
    uint32_t weight; /* of a ghost that no room has heard of: bytes kept for it */
    bool told;       /* a room has heard that it connected, and not yet that it left */
    bool explicit;   /* a client named it: its seat is kept when it breaks off */
    bool awaiting;   /* a ghost that was replayed: the room has not answered its join yet */
    bool named;      /* its world may know of it, and is to hear when it leaves */
    bool passes;     /* its sockets go past the link: of another map, never a ghost */
    char id[];
};

static inline struct span session_id(const struct session *s)
{
    return (struct span){.ptr = s->id, .len = s->id_len};
}
static inline bool session_is_ghost(const struct session *s)
{
    return s->last != NULL;
}

/* How many sockets the shard has under that id, by the link and past it; SESSION_SOCKETS_MANY: so
 * many or more. */
enum { SESSION_SOCKETS_MANY = 8 };
size_t session_sockets(const struct shard *shard, struct span id);

/* The shard's session of that id, or NULL. */
struct session *session_find(const struct shard *shard, struct span id);
/* The same of those that pass. */
struct session *session_find_passing(const struct shard *shard, struct span id);
/* As session_enter, for a client that passes. */
struct session *session_enter_passing(struct shard *shard, struct span id);
/* The shard's session of that id, made or called back from among the ghosts if need be; with an
 * empty id, a new one with a random id. The caller opens a client in it. */
struct session *session_enter(struct shard *shard, struct span id);
/* A ghost of somebody who came by another node, which is lost: the room is told that it left. None
 * if a session of that id is there. `request_info` as in node_client_open. */
void session_haunt(struct shard *shard, struct span id, struct span request_info, int64_t now);
/* Its last socket left. Takes `last`. One that passes ends. Else tells the room, becomes a ghost,
 * or ends if there is nothing to tell; may free `s`. */
void session_left(struct session *s, struct client *last);

/* Closes all sockets under that id, if there are any. The caller reports the new count. */
void session_close_all(struct shard *shard, struct span id, enum node_reason why, int64_t now);
/* Closes all its sockets, at least one; may free `s`. The caller reports the new count. */
void session_close(struct session *s, enum node_reason why, int64_t now);

/* A ghost has nothing more to say: the room hears that it left, if it ever heard that it came, and
 * the ghost ends. The link stands. */
void session_ghost_leave(struct session *s);
/* One that had parted, but whose leaving was not sent, is a ghost again. */
void session_return(struct session *s);
/* A ghost ends without a word to the room. */
void session_ghost_drop(struct session *s);
/* For node_free: no accounts are kept. */
void session_free(struct session *s);
