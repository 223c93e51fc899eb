/* The names of strategies and the defaults of a room. */
#include "world/core/rooms/room_settings.h"

#include <stddef.h>

const char *const strategy_names[STRATEGY_COUNT + 1] = {
    [STRATEGY_ROUND_ROBIN] = "round-robin",
    [STRATEGY_LEAST_CONNECTIONS] = "least-connections",
    [STRATEGY_RANDOM] = "random",
    [STRATEGY_PACKED] = "packed",
    [STRATEGY_P2C] = "p2c",
    [STRATEGY_HASH] = "hash",
};

const char *const strategy_reference_names[] = {"round-robin", "least-connections", "random", NULL};

const struct room_settings room_settings_default = {
    .strategy = STRATEGY_ROUND_ROBIN,
    .is_public = true,
    .max_players = 75,
    .min_shards = 1,
};
