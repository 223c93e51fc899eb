#pragma once
/* The last hour of a world in steps of 5 s, for graphs: what it held at the end of each step, and
 * what happened within it (docs/protocol.md, "Management API").
 *
 * Memory is bounded: at most HISTORIES_MAX worlds of a process have one (17 KB each, and 3 KB for
 * each reason of refusals that occurred). A world gets it with its first room, while there are
 * fewer; beyond that, one that is asked for takes the place of that which was asked for longest
 * ago, or never. Steps end with a tick that core has anyway. */
#include "common/base/json_out.h"
#include "common/base/list.h"
#include "world/core/moment.h"
#include "world/core/refusal.h"

enum { HISTORY_STEP_MS = 5000, HISTORY_STEPS = 720, HISTORIES_MAX = 100 };

struct world;

struct history_step {
    uint64_t connections, capacity; /* at its end */
    uint32_t placements, lag_ms;    /* within it; the second is the worst */
};

struct history {
    struct world *world;
    struct list node; /* in the registry's */
    uint64_t asked;   /* grows from one that is asked for to the next; 0: nobody has */
    struct history_step steps[HISTORY_STEPS]; /* a ring; so are the refusals within each: */
    uint32_t *refusals[REFUSAL_COUNT];        /* owned; NULL: none in all that time */
    uint32_t next, len;
    uint64_t placements;             /* the world's at the end of the last step */
    uint64_t refused[REFUSAL_COUNT]; /* likewise */
};

/* Those of a process. The all-zero struct needs histories_init. */
struct histories {
    struct list list;
    size_t count;
    uint64_t asked;        /* the last */
    struct moment sampled; /* when the last step ended */
};

void histories_init(struct histories *all, struct moment now);
/* A step ends. `lag_ms`: the worst lateness of timers in it. What the process slept through becomes
 * steps without events. */
void histories_step(struct histories *all, int64_t lag_ms, struct moment now);

/* The world gets one, if there is room for it. */
void history_begin(struct histories *all, struct world *w);
/* Somebody reads it: it is begun in any case. */
void history_ask(struct histories *all, struct world *w);
/* It goes with its world; nothing happens when there is none. */
void history_end(struct histories *all, struct world *w);

/* Writes the last `steps` (fewer, if there are not so many), the oldest first; `w` has none: no
 * steps. */
void history_view(struct json_out *o, const struct histories *all, const struct world *w,
                  uint32_t steps);
