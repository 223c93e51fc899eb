#pragma once
/* Whoever is to reach the process that decides for a world: waits while there is none, tries where
 * it is said to be, and waits again when that does not serve (docs/design.md section 7). Knows
 * nothing of what is passed on. */
#include "common/base/buf.h"
#include "common/net/loop.h"
#include "world/io/places.h"

enum {
    SEEKER_PAUSE_MS = 20,        /* at least, between two tries at one url; doubled each time, */
    SEEKER_PAUSE_MAX_MS = 250,   /* up to here */
    SEEKER_SAY_MS = 1000,        /* at least, between two lines in the log */
    SEEKER_HEAD_START_MS = 1000, /* who was passed on waits so much less than who passed it on */
};

struct seeker;

/* Each may end the seeker, and is never called inside a function of this file. */
struct seeker_ops {
    /* This process decides, or has to say why nobody can. The seeker has been ended. */
    void (*here)(struct seeker *s);
    /* Try it there; seeker_failed if it does not serve, now or later. `url` and `epoch`, the
     * highest that is known, are in the seeker, too. */
    void (*there)(struct seeker *s);
    /* It is tried, but is elsewhere by now; or time is over (`late`), and only what has not begun
     * ends. True: the try has been given up. */
    bool (*leave)(struct seeker *s, bool late);
    /* Who was passed on already: this other process decides. The seeker has been ended. */
    void (*elsewhere)(struct seeker *s, const struct lease_place *place);
    /* Time is over. The seeker has been ended. */
    void (*nobody)(struct seeker *s);
};

/* Counted by all of them. */
struct seeker_stats {
    uint64_t waited, retried, timed_out;
};

struct seekers {
    struct loop *loop;
    struct places places;
    struct seeker_stats *stats;
    int64_t wait_ms;
    int64_t say_ms;      /* nothing is logged before */
    struct map by_world; /* struct seeker_crowd */
    struct list to_look; /* seekers that look at the end of this turn */
    struct turn_end looks;
    size_t count;
};

/* Embedded in its owner's. All zero: it seeks nothing. */
struct seeker {
    const struct seeker_ops *ops;
    struct seekers *all;
    struct seeker_crowd *crowd;
    struct list in_crowd, in_to_look;
    struct timer timer; /* looks again, or gives up */
    int64_t until_ms;
    struct buf url; /* that was tried last */
    int64_t epoch;  /* when it was */
    int64_t tried_ms, pause_ms;
    bool hopped; /* another process has passed it on: it is not passed on again */
    bool trying, waited;
};

/* `stats` are borrowed. */
void seekers_init(struct seekers *all, struct loop *l, const struct places *places,
                  struct seeker_stats *stats, int64_t wait_ms);
/* Where the world is. */
struct lease_place seekers_place(const struct seekers *all, struct span world);
/* There is no seeker any more. */
void seekers_clear(struct seekers *all);
/* Where the world is has changed: all that seek it look again, at the end of this turn. */
void seekers_moved(struct seekers *all, struct span world);

/* Until when one that begins now seeks, monotonic ms. */
int64_t seekers_until(const struct seekers *all, bool hopped);
/* Begins, for the world (copied): looks for the first time at the end of this turn, or at `look_ms`
 * if that is later. */
void seeker_begin(struct seeker *s, struct seekers *all, const struct seeker_ops *ops,
                  struct span world, bool hopped, int64_t until_ms, int64_t look_ms);
static inline bool seeker_is_seeking(const struct seeker *s)
{
    return s->crowd != NULL;
}
struct span seeker_world(const struct seeker *s);
/* It names that epoch of the world. */
void seeker_saw(struct seeker *s, int64_t epoch);
/* Where it was tried is not to be believed. */
void seeker_doubt(struct seeker *s);
/* What was tried does not serve: doubts it, and looks again. */
void seeker_failed(struct seeker *s);
/* Seeks no more; frees what it holds. Again is fine. */
void seeker_end(struct seeker *s);
