#pragma once
/* Reports (docs/protocol.md, "Shard and world"; docs/reference.md section 4, "Reports"). When the
 * world hears how many sockets a shard holds: at its start (0), every report_ms, and when the count
 * differs from what the world is known to have. One report is under way at a time, so that they
 * cannot overtake each other; what happens meanwhile is made up for when it is answered. A report
 * that failed is not repeated before the next occasion. */
#include "common/base/wheel.h"

struct shard;

enum report_wish { REPORT_NONE, REPORT_IF_CHANGED, REPORT_ANYWAY };

struct report {
    struct shard *shard;
    struct timer timer;    /* the next periodic one */
    enum report_wish wish; /* what to do when the one under way is answered */
    bool on;               /* the shard's world knows no beats */
    bool under_way;
    bool known; /* the world's last answer was a confirmation: it has `sent` */
    uint64_t sent;
};

void report_init(struct report *r, struct shard *shard);
/* Sends the first one and starts the timer, unless they run already. */
void report_start(struct report *r, int64_t now);
/* One that is under way is answered all the same. */
void report_stop(struct report *r);
/* The count may have changed. */
void report_changed(struct report *r);
/* The world has answered, or will not. To be followed by report_catch_up. */
void report_answered(struct report *r, bool confirmed);
/* Sends what was wished for while a report was under way. */
void report_catch_up(struct report *r);
