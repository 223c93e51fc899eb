#pragma once
/* The ways to other processes: so many requests at a time go to each, the others wait for their
 * turn. A thousand that waited for an owner do not dial it all at once. */
#include "common/base/list.h"
#include "common/base/map.h"
#include "common/net/loop.h"

enum { LANE_MAX = 256 }; /* at a time, to one process */

struct lanes {
    struct loop *loop;
    struct map by_url;  /* struct lane */
    struct list opened; /* lanes where there is room again */
    struct turn_end turns;
};
void lanes_init(struct lanes *all, struct loop *l);
/* Nobody is in one any more. */
void lanes_clear(struct lanes *all);

/* Embedded in what is on its way; all zero: in no lane. */
struct lane_place {
    struct lane *lane;
    struct list node; /* while it waits */
    void (*go)(struct lane_place *p);
};
/* Calls `go` at once, or from the end of a turn when it is its turn. */
void lane_enter(struct lanes *all, struct lane_place *p, struct span url,
                void (*go)(struct lane_place *p));
/* Under way no more, or waiting no more. Nothing happens when it is in no lane. */
void lane_leave(struct lanes *all, struct lane_place *p);
