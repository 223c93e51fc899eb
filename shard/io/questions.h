#pragma once
/* What worlds are asked about arrivals: POST …/resolve, answered within PLACE_ASK_MS or not at all.
 * Many that want to know the same (clients of a node that died) share one question; a bounded
 * number is under way at a time, the others wait in order. A world that let a question run out is
 * not asked for a while; while all of them are silent, nobody waits. */
#include "common/base/map.h"
#include "common/proto/resolve.h"
#include "common/proto/secret.h"
#include "common/proto/trace.h"
#include "shard/io/ticker.h"
#include "shard/io/worlds.h"

enum {
    QUESTIONS_UNDER_WAY = 64,
    QUESTIONS_ANSWER_MAX = 32 * 1024 * 1024, /* bytes: all bans of a room, of the longest ids */
};

struct question;

/* Who wants to know; embedded in it. */
struct asking {
    struct list node;
    struct question *question; /* NULL: nothing is being asked */
    const struct trace *trace; /* to be told of it; borrowed until questions_ask returns; or NULL */
    /* status 0: nothing came in time. `shared`: somebody else had the same answer before, so a
     * seat that it promises is taken. Borrowed until return. Never called from questions_ask. */
    void (*answered)(struct asking *who, int status, struct span body, bool shared);
};

struct questions {
    struct ticker *ticker;
    struct worlds *worlds;
    const struct secrets *secrets;
    struct map open; /* those that may be shared, by key */
    struct list waiting, under_way;
    size_t under_way_count;
    int64_t *silent_until_ms;  /* by world; a second and world from a question that ran out */
    uint64_t sent, unanswered; /* ever */
    struct histogram time;     /* from a question to what came of it */
};

/* All borrowed. */
void questions_init(struct questions *q, struct ticker *t, struct worlds *worlds,
                    const struct secrets *secrets);
/* Asks the world of that id. `alone`: with a question of its own, whoever else asks the same. */
void questions_ask(struct questions *q, struct asking *who, struct span world,
                   const struct resolve *r, bool alone);
/* It does not want to know any more. */
void asking_stop(struct asking *who);
/* Drops all; nobody is told. */
void questions_clear(struct questions *q);
