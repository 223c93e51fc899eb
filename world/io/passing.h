#pragma once
/* Requests on their way to the process that decides for their world, and the answers on their way
 * back. An answer is kept until it is whole, so that a request that may be repeated is sent anew
 * when its answer breaks off; an event stream, and what is longer than PASSING_KEPT_MAX, goes
 * through as it comes. */
#include "common/base/metrics.h"
#include "common/net/pools.h"
#include "common/net/responder.h"
#include "common/proto/secret.h"
#include "world/io/lane.h"
#include "world/io/seeker.h"

struct request;
struct passing;

enum {
    PASSING_KEPT_MAX = 1024 * 1024, /* bytes of an answer */
    PASSING_CONNECT_MS = 1000,
    PASSING_ANSWER_MS = 30 * 1000, /* and between two parts; events have a comment each 15 s */
};

struct passing_stats {
    uint64_t now; /* gauge: under way, or waiting */
    uint64_t passed, misdirected, outdated, broken;
    struct histogram time; /* of those passed on, microseconds */
};

struct passings {
    struct loop *loop;
    struct seekers *seekers;
    struct passing_stats *stats;
    const struct secrets *secrets; /* the cluster's */
    struct span id;                /* of this process */
    struct http_pool_settings pool_settings;
    struct pools pools;
    struct lanes lanes;
    struct list all;
};

/* All borrowed; it must not move. */
void passings_init(struct passings *all, struct loop *l, struct seekers *seekers,
                   const struct secrets *secrets, struct span id, struct passing_stats *stats);
/* The process stops: who waits for an owner, or for its turn, is refused. */
void passings_refuse_waiting(struct passings *all);
/* Drops all; their requests are on their own. The loop must turn once more. */
void passings_clear(struct passings *all);

/* Takes a request over whose body is whole; it answers it, or hands it to core again. The passing
 * ends with the request. */
void passing_begin(struct passings *all, struct request *r, struct span world);
/* The request is free again. */
void passing_free(struct passing *p);
/* Ends its answer if that is one that goes on; then the request is gone. */
void passing_end_stream(struct passing *p);
