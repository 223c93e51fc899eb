#pragma once
/* How Redis is, as findings of the process (common/proto/finding.h): whether it answers, takes
 * writes, and keeps what it was told. What every lease and commit is answered says most of it; the
 * rest is asked (INFO). One that refuses INFO, as hosted ones may, is not judged by it. */
#include "common/net/redis.h"
#include "common/proto/finding.h"

enum {
    HEALTH_TICK_MS = 1000,
    HEALTH_ASK_MS = 5000,  /* between two questions */
    HEALTH_DOWN_MS = 2000, /* so long there is no connection before it is told */
};

/* Embedded in its owner. */
struct health {
    struct loop *loop;
    struct redis *redis; /* NULL: it has gone */
    const struct redis_url *url;
    const uint64_t *failing; /* store_stats' */
    struct findings *findings;
    struct timer timer;
    int64_t down_ms; /* monotonic, since when; 0: it is up */
    int64_t ask_ms;  /* when it is asked next */
    unsigned asked;  /* answers that are awaited */
    bool refuses;    /* INFO, on this connection */
    bool is_full;    /* its memory is, as it answered a write */
    bool failed;     /* the store was failing a tick ago, too */
};

/* All borrowed; nothing is asked before the loop turns. */
void health_init(struct health *h, struct loop *l, struct redis *redis, const struct redis_url *url,
                 const uint64_t *failing, struct findings *findings);
/* Redis has answered with an error. */
void health_refused(struct health *h, struct span why);
/* Redis has obeyed a write. */
void health_wrote(struct health *h);
/* There is a connection: maybe to another server. */
void health_up(struct health *h);
/* Before redis_free. Nothing is called back after it. */
void health_stop(struct health *h);
