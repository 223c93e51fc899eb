#pragma once
/* How many clients a node takes a second (CONNECT_RATE, docs/design.md section 8), and in which
 * order: who cannot be taken at once waits, sessions that the node knows before newcomers, each in
 * the order of arrival. As long as somebody waits no token is left over. Nobody starves: of
 * ADMISSION_NEW_SHARE tokens and places one is a newcomer's, if there is one. Pure: whoever owns
 * this asks for what is due (admission_due). */
#include "common/base/list.h"
#include "common/base/metrics.h"
#include "common/base/rate.h"

enum {
    ADMISSION_HOLD_MS = 3000, /* nobody waits longer: PartySocket gives a try up after 4 s */
    ADMISSION_NEW_SHARE = 10,
    ADMISSION_DEBT_MS = 1000, /* what those who are not asked may owe: what so long brings back */
};

enum admission_rank {
    ADMISSION_KNOWN, /* it has a socket or a kept seat here */
    ADMISSION_NEW,
    ADMISSION_RANKS,
};

/* One who waits; embedded in what belongs to its owner. All-zero: it does not wait. */
struct admission_wait {
    struct list in_queue;
    enum admission_rank rank;
    int64_t since_ms;
};

struct admission_stats {
    uint64_t held_now;            /* gauge */
    uint64_t at_once, after_wait; /* taken */
    uint64_t refused;             /* at once, pushed out, or after ADMISSION_HOLD_MS */
    uint64_t uninvited;           /* admission_count */
    struct histogram waited;      /* of those taken after they had waited */
};

struct admission {
    struct rate_limit limit; /* burst 0: none */
    struct rate rate;
    struct list queues[ADMISSION_RANKS];
    uint64_t counts[ADMISSION_RANKS];
    unsigned in_a_row; /* known ones that were taken while a newcomer waited */
    struct admission_stats *stats;
};

enum admission_verdict {
    ADMISSION_IN,   /* taken */
    ADMISSION_HELD, /* `w` waits, and comes out of admission_next unless it leaves before */
    ADMISSION_OUT,  /* refused: more wait already than the rate can take in ADMISSION_HOLD_MS */
};

/* `stats` is borrowed. */
void admission_init(struct admission *a, struct rate_limit limit, struct admission_stats *stats);
/* Another limit from now on; who waits goes on waiting. */
void admission_limit(struct admission *a, struct rate_limit limit);
/* Somebody wants to come in. *pushed, if not NULL: a newcomer that had waited and lost its place to
 * this one; it is refused. */
enum admission_verdict admission_ask(struct admission *a, struct admission_wait *w,
                                     enum admission_rank rank, int64_t now,
                                     struct admission_wait **pushed);
/* Somebody came in who is not asked for leave: takes a token, or owes it. */
void admission_count(struct admission *a, int64_t now);
/* The next whose waiting is over, NULL: none by now. *taken: it is in; else its time is over, and
 * it is refused. */
struct admission_wait *admission_next(struct admission *a, int64_t now, bool *taken);
/* It has gone away; harmless when it does not wait. */
void admission_leave(struct admission *a, struct admission_wait *w);
/* The first that waits, to refuse all: it waits no more and is counted as refused. NULL: none. */
struct admission_wait *admission_dismiss(struct admission *a);
/* When admission_next has somebody, at the latest; INT64_MAX: nobody waits. */
int64_t admission_due(const struct admission *a, int64_t now);
/* How long until the tokens of all who wait, and one more, have come. */
int64_t admission_backlog_ms(const struct admission *a, int64_t now);
