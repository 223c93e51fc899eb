#pragma once
/* How the links of a node are, looked at when somebody asks: walks all shards. */
#include "shard/core/node.h"

struct survey {
    /* How many links are in each state (enum link_state). */
    uint64_t idle, waiting, dialling, replaying, up, closing;
    uint64_t backlog_bytes;  /* messages that wait in core; */
    uint64_t queued_bytes;   /* what io has for links that stand and the kernel has not taken */
    uint64_t oldest_wait_ms; /* of the messages, and of clients that wait for a link */
};

void survey_take(const struct node *n, int64_t now, struct survey *out);
