#pragma once
/* How clients go that a drain closes (docs/design.md section 5.3), all sockets of a session
 * together. They are read no more; what they said is flushed and heard by the room (the link's
 * pong says so); what the room answers reaches them; then the room hears that they left, and their
 * sockets are closed with 1012 and `restart;retry=min-max`. */
#include "common/base/list.h"
#include "common/base/wheel.h"
#include "shard/core/node.h"

struct shard;

enum {
    PARTING_SETTLE_MS = 100, /* after the pong, for the room's last answers */
    PARTING_MAX_MS = 1000,   /* at most, from the last read to the close */
};

struct parting_how {
    int64_t until_ms; /* they are closed by then, whatever they wait for */
    int64_t retry_min_ms, retry_max_ms;
};

/* The session of the shard's oldest socket that is not parting yet is to go: it is read no more.
 * Answers its number of sockets, at least 1; there must be one. `gathered` is for
 * parting_begin. */
uint64_t parting_gather(struct list *gathered, struct shard *shard, const struct parting_how *how);
/* Starts what was gathered: one ping a link. */
void parting_begin(struct list *gathered, int64_t now);
/* The room server of the shard has answered the pings up to `number`. */
void parting_heard(struct shard *shard, uint32_t number, int64_t now);
/* The shard is about to go: forgets its partings. */
void parting_clear(struct shard *shard);
