#pragma once
/* Who is at a shard by one node, as its beats name them: the sessions that its room may show. When
 * the node is lost, nobody can tell the room any more who of them left. So those that no other beat
 * names in time are *missing*: orders name them to the owner of the shard, which has the room hear
 * that they left (docs/protocol.md, "Node and world"; docs/decisions/011-worlds-know-sessions.md).
 * Rooms know sessions by their ids alone, so whoever comes back at any shard of the room is there.
 * Nothing of this is stored: after a restart full beats tell it anew. */
#include "common/base/buf.h"
#include "common/proto/beat_doc.h"
#include "world/core/rooms/registry.h"

enum {
    CROWD_RETURN_MS = SEATS_RETURN_MS,    /* from the loss until they are missing */
    CROWD_NAMED_MS = 60 * 1000,           /* so long orders name them, at most */
    CROWD_KEEP_MS = 60 * 60 * 1000,       /* without an owner to be named to they are forgotten */
    CROWD_ORDERS_MAX = 20000,             /* named in one answer; more follow in the next */
    CROWD_SESSIONS_MAX = 4 * 1000 * 1000, /* known in a process; of more nothing is remembered */
};

struct crowd;
struct holding;
struct node;

/* Takes in what a beat names. */
void crowd_report(struct registry *r, struct holding *h, const struct beat_shard *b,
                  struct beat_doc *doc);
/* They left in order. */
void crowd_disperse(struct registry *r, struct holding *h);
/* Their node is lost; it is back. */
void crowd_lose(struct registry *r, struct holding *h, struct moment now);
void crowd_heal(struct holding *h);
/* The holding goes. Who is not lost left in order. */
void crowd_release(struct registry *r, struct holding *h);
/* The shard goes: another one of the room, if there is one, has its lost ones from now on. */
void crowd_leave_shard(struct registry *r, struct shard *s);
/* The same without another one: the world goes. */
void crowd_drop_shard(struct registry *r, struct shard *s);
/* Looks who is missing by now; to be called every nodes_tick_ms. */
void crowd_tick(struct registry *r, struct moment now);
/* Appends those of the node's shards to orders that are not closed yet. */
void crowd_add_orders(struct registry *r, const struct node *n, struct moment now, struct buf *out);
/* Whether that node has named the session in the room, and is not lost for good. */
bool crowd_knows(const struct room *room, struct span node, struct span session);
/* Asserts what must hold of the crowds of the room. */
void crowd_check(const struct room *room);
