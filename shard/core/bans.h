#pragma once
/* Sessions that may not be at a shard for a while, as its world orders. */
#include "common/base/json.h"
#include "common/base/map.h"
#include "common/base/wheel.h"

struct shard;

/* Embedded in a shard. */
struct bans {
    struct shard *shard;
    struct map all; /* session id → struct ban */
    struct timer timer;
};

void bans_init(struct bans *b, struct shard *shard);
/* All that there are from now on: `list` is what orders_next_shard gave (borrowed; NULL: none).
 * Sockets of a banned session are closed with 1008 `kicked`, and its kept seat is free. */
void bans_set(struct shard *shard, const json_t *list, int64_t now);
bool bans_has(const struct bans *b, struct span session);
void bans_clear(struct bans *b);
