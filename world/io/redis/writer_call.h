#pragma once
/* A call of commit.lua on its way for a world_writer, and what comes of it: one at a time and
 * world. For world_writer.c, which keeps what is wanted. */
#include "world/io/redis/world_writer.h"

struct writer_call {
    struct list node;
    struct world_writer *w; /* NULL: it has gone */
    int64_t epoch;
    bool clear, flight; /* what it carries */
    int64_t rev;        /* once the script has answered */
    int64_t began_us;
};

/* Begins one for what is wanted, unless one is under way or nothing may be sent. */
void writer_begin(struct world_writer *w);
/* Redis will not answer it. */
void writer_call_free(struct writer_call *c);

/* ---- world_writer.c */

/* How many changes of the writer are not in Redis, and whether its last call failed. */
void writer_count_pending(struct world_writer *w, uint64_t pending);
void writer_count_failing(struct world_writer *w, bool failing);
/* Calls `closed` if it is closing, and has done or given up what it could; then it may be gone. */
void writer_check_closed(struct world_writer *w);
