#pragma once
/* What a world finds, and what its nodes tell (common/proto/finding.h). Of its own are those about
 * nodes and room servers: from beats as they come, from states as they are. */
#include "common/proto/beat_doc.h"
#include "common/proto/finding.h"
#include "world/core/rooms/registry.h"

enum {
    FINDINGS_TICK_MS = 1000,
    FINDINGS_CLOCK_MS = 5000, /* a node's clock may be so far from ours */
    /* A clock that is behind ours may be a beat that was late: it has to stay so for that time. */
    FINDINGS_LATE_MS = 2000,
    FINDINGS_CLOCK_STEP_MS = 2000,     /* a difference that changes by less is told as it was */
    FINDINGS_TWIN_MS = 10 * 60 * 1000, /* so long it is told that a NODE_ID was there twice */
};

/* A beat that counts. Takes the findings of *doc, if there are any. */
void world_findings_hear(struct node *n, const struct beat *b, struct beat_doc *doc,
                         struct moment now);
/* Another process has the node's id by now: what was heard of the one before does not hold. */
void world_findings_restart(struct node *n);
/* A beat that does not count, because a later process has its id. */
void world_findings_conflict(struct node *n, const struct beat *b, struct moment now);
/* Looks at what is as it is; to be called every FINDINGS_TICK_MS. */
void world_findings_tick(struct registry *r, struct moment now);
/* Whether what the node told may still hold. */
bool world_findings_hold(const struct node *n);
/* Adds to each level how many there are: the world's, and its nodes'. */
void world_findings_levels(const struct world *w, size_t counts[FINDING_LEVEL_COUNT]);
