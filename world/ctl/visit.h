#pragma once
/* A client that comes in, listens and says nothing: until the node's first ping, or until something
 * on the way cuts the connection. */
#include "world/ctl/wire.h"

struct visit {
    struct wire *wire;
    struct wire_socket *socket; /* NULL: it is over, or has not begun */
    bool opened, leaving;
    size_t messages;
    bool pinged;                /* a ping has come, */
    int64_t silence_ms;         /* after so long; or so long had it been silent at its end */
    int64_t quiet_since;        /* by clock_mono_ms */
    uint64_t heard_bytes;       /* when it was last seen to say something */
    bool stirred;               /* something has come that is no message yet */
    struct wire_socket_end end; /* once opened or refused, and over; its texts are: */
    struct buf reason, why;
};

/* Dials a WebSocket there. `headers`: more lines, each with its CR LF; empty: none. The visit stays
 * where it is until visit_clear. */
void visit_start(struct visit *v, struct wire *w, struct span url, struct span headers);
/* Looks whether a ping has come; to be called all 100 ms or so. */
void visit_look(struct visit *v);
/* Whether it has ended by itself. */
bool visit_is_over(const struct visit *v);
/* Closes it with 1000; over comes later. */
void visit_leave(struct visit *v);
void visit_clear(struct visit *v);
