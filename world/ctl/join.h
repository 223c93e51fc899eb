#pragma once
/* One client of a room: asks the world for a place, goes there, says what it is given, and comes
 * again as clients do. What it hears goes to stdout, what happens to it to stderr. */
#include "world/ctl/ctl.h"

enum { JOIN_WAITING_MAX = 1 << 20 /* bytes that wait for a connection */ };

struct join {
    struct ctl *ctl;
    const char *room, *via; /* via NULL: where the world says */
    bool create;
    struct buf session;          /* empty: the world's to choose */
    struct buf shard;            /* where it is */
    struct buf url;              /* what was dialled */
    struct wire_exchange *asked; /* /connect; NULL: not now */
    struct wire_socket *socket;  /* NULL: none */
    struct wire_timer again;
    bool open, was_open, through_world, direct;
    bool leaving;       /* nobody says anything any more */
    struct buf waiting; /* messages for the next connection, each with its newline */
    uint64_t left;      /* messages until it goes; 0: no end */
    bool full;          /* these have come */
    enum ended how;
};

/* Goes on its way; the rest happens in wire_run. */
void join_start(struct join *j);
/* A message (join_line.h), now or when it is in. */
void join_say(struct join *j, struct span message);
/* Leaves behind what was said. */
void join_leave(struct join *j);
void join_clear(struct join *j);
