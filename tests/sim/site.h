#pragma once
/* The world's process: its core, its store, its restarts. Nothing of its core's own types is seen
 * outside: the node's core has structs of the same names. */
#include "common/base/slots.h"
#include "common/base/span.h"
#include "tests/sim/net.h"

struct site *site_new(struct sim *s);
void site_free(struct site *site);
/* Starts the process on what the store has; ends it as kill -9 does. */
void site_start(struct site *site);
void site_kill(struct site *site);
/* A request has arrived; answered by net_answer, at once or later. */
void site_request(struct site *site, struct handle reply, enum net_kind kind, const char *method,
                  const char *path, struct span body);
/* An operator has a node drained (deadline_ms 0: nobody is closed) or not any more. */
void site_drain_node(struct site *site, struct span node, bool on, int64_t deadline_ms);

/* ---- what it knows. All of these assert nothing and change nothing; spans live until the next
 * call into the site. Nothing is there while the process is down. */
struct seen_shard {
    struct span id, room;
    uint64_t open, reserved, returning, max;
    bool is_active, is_draining;
    struct span owner;     /* empty: none */
    bool owner_is_alive;   /* not even suspect */
    bool owner_is_silent;  /* suspect or dead */
    bool owner_is_drained; /* it says so, or an operator does */
};
struct seen_node {
    int64_t epoch, version; /* of its process; of its orders */
    bool is_alive;
};
/* A beat of the node has named the session, and none that it left. */
bool site_knows(const struct site *site, struct span node, struct span room, struct span session);
int64_t site_epoch(const struct site *site);
bool site_shard(const struct site *site, struct span id, struct seen_shard *out);
/* The shards in order of creation: start with *at = 0; false at the end. */
bool site_next_shard(const struct site *site, size_t *at, struct seen_shard *out);
bool site_node(const struct site *site, struct span id, struct seen_node *out);
size_t site_nodes(const struct site *site);
/* All that the core itself says must hold. */
void site_check(const struct site *site);
