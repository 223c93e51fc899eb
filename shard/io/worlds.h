#pragma once
/* The world processes of this node. One is used until it cannot be reached; then the next. */
#include "common/net/upstreams.h"

struct worlds {
    struct upstreams all;
    size_t current;
    uint64_t failures; /* worlds that could not be reached when asked */
};

/* Takes `origins` (at least one; becomes empty). */
void worlds_init(struct worlds *w, struct loop *l, struct origins *origins);
void worlds_clear(struct worlds *w);

/* One walk over all worlds, from the present one on: zero it before. NULL: all have been tried (the
 * first call always finds one). Asking for another one says that the one before could not be
 * reached; it is then no longer the present one. */
struct worlds_walk {
    size_t tries, at;
};
const struct upstream *worlds_next(struct worlds *w, struct worlds_walk *walk);
/* Another one than the walk is at, which answers and stays the present one. NULL: there is none
 * that has not been tried. */
const struct upstream *worlds_other(struct worlds *w, struct worlds_walk *walk);
