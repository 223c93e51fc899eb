#pragma once
/* What the room hears when a link comes up, before messages flow (docs/protocol.md, "Shard and
 * room"):
 *   1. clientConnected for every open socket, in order of arrival;
 *   2. clientConnected for every ghost, then its clientDisconnected: once the room has answered the
 *      join with a frame for it or REPLAY_WAIT_MS have passed, because a room that hears of a leave
 *      before it is done with the join shows the client for ever;
 *   3. the backlog, in order. A ghost that has messages in there leaves behind the last of them.
 * Ghosts that come to a link that stands already (session_haunt) are told in the way of 2; messages
 * do not wait for them then. */
#include <stdint.h>

struct link;
struct session;

enum { REPLAY_WAIT_MS = 1000 };

/* The link has come up (it is REPLAYING). */
void replay_start(struct link *l, int64_t now);
/* A ghost has come. Dials if nobody has. */
void replay_ghost(struct session *s, int64_t now);
/* The room answered a session, ghost or not. May end the session. */
void replay_answered(struct session *s);
/* Goes on if no ghost is waited for any more. */
void replay_advance(struct link *l);
/* Waits no longer: sends all that is left. The link stands; it is UP then. */
void replay_finish(struct link *l);
/* The link fell: those who were not dealt with stay ghosts. */
void replay_interrupt(struct link *l);
