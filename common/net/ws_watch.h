#pragma once
/* What waits for a peer of a ws_conn and from it: how much that is, over all connections that share
 * a bound, and for how long. Made when something begins to wait and freed when nothing does, so
 * that an idle connection owns none. For ws_conn alone, but for struct ws_buffers. */
#include "common/base/frame.h"

struct ws_conn;

/* Why a peer was closed as too slow. */
enum ws_slow {
    WS_SLOW_QUEUE,   /* more than max_queue waits for it */
    WS_SLOW_STALLED, /* it took nothing for slow_ms */
    WS_SLOW_BUFFERS, /* more than ws_buffers.max waits for and from all, and not a little for it */
    WS_SLOW_COUNT,
};

/* What several connections share: a bound, and what is counted. */
struct ws_buffers {
    size_t max;     /* bytes; 0: no bound */
    size_t out, in; /* gauges: memory of what waits for peers (a shared frame counts in each queue)
                       and of unfinished or held back messages from them */
    uint64_t dropped;             /* messages that WS_SLOW_DROP lost */
    uint64_t slow[WS_SLOW_COUNT]; /* closed with 4200 */
};

enum { WS_SMALL = 4096 }; /* bytes: whoever has no more waiting is not closed for the others */

struct ws_watch;

/* All of these are called when something may have changed, and may close the connection. */
void ws_watch_output(struct ws_conn *w);
/* `ended`: since the last call a message has become whole. */
void ws_watch_input(struct ws_conn *w, bool ended);
/* Keeps the newest pong back (takes it; NULL: forgets it). */
void ws_watch_keep_pong(struct ws_conn *w, struct frame *pong);
/* It goes when the peer has read something since, so that pings alone cannot fill the queue; NULL:
 * not yet, or there is none. */
struct frame *ws_watch_take_pong(struct ws_conn *w);
/* The connection is gone: nothing is counted for it any more. */
void ws_watch_clear(struct ws_conn *w);
