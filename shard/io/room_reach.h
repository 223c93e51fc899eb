#pragma once
/* Which room servers this node reaches, as the last dial of a link to each of them went. One that
 * no link has had to do with for ROOM_REACH_MS is forgotten. */
#include "common/base/map.h"
#include "common/base/span.h"

enum { ROOM_REACH_MS = 60000 };

struct room_reach {
    struct map servers; /* struct reached, by origin */
};

struct reached;

struct room_reach_count {
    uint64_t reachable, unreachable;
};

/* A link is dialled there. The answer is good until room_reach_leave, which must follow. */
struct reached *room_reach_dial(struct room_reach *r, struct span origin);
/* True: that is news, worth a line in the log. */
bool room_reach_found(struct reached *server);  /* the last dial had failed */
bool room_reach_missed(struct reached *server); /* the last one had not */
/* The link, or the dial, is over. */
void room_reach_leave(struct reached *server, int64_t now);
/* Counts those known, and forgets the forgettable. One that is dialled for the first time is
 * neither. */
struct room_reach_count room_reach_count(struct room_reach *r, int64_t now);
void room_reach_clear(struct room_reach *r);
