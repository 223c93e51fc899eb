#pragma once
/* Who says where worlds are: leases (world/core/leases), or a test. */
#include "world/core/leases/leases.h"

struct places {
    void *ctx;
    /* As leases_place, leases_doubt, leases_look and leases_saw. */
    struct lease_place (*place)(void *ctx, struct span world);
    void (*doubt)(void *ctx, struct span world);
    void (*look)(void *ctx, struct span world);
    void (*saw)(void *ctx, struct span world, int64_t epoch);
};

/* Leases, borrowed. */
struct places places_of_leases(struct leases *l);
