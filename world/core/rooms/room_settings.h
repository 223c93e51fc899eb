#pragma once
/* What an operator says about a room. */
#include <stdbool.h>
#include <stdint.h>

#include "common/base/span.h"

enum strategy {
    STRATEGY_ROUND_ROBIN,
    STRATEGY_LEAST_CONNECTIONS,
    STRATEGY_RANDOM,
    /* Our own. */
    STRATEGY_PACKED,
    STRATEGY_P2C,
    STRATEGY_HASH,
    STRATEGY_COUNT,
};

/* The names on the wire, by enum strategy; NULL-terminated. */
extern const char *const strategy_names[STRATEGY_COUNT + 1];
/* Those that the reference knows too; NULL-terminated. */
extern const char *const strategy_reference_names[];

struct room_settings {
    enum strategy strategy;
    bool is_public;
    uint64_t max_players; /* capacity of a new shard */
    uint64_t min_shards;
    uint64_t max_shards; /* 0: no limit */
    bool leaving;        /* to be removed with its last shard; does not grow by itself */
};

/* Of a room that a client asked for and nobody registered. */
extern const struct room_settings room_settings_default;
