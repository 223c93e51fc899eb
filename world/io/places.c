/* Hands questions on. */
#include "world/io/places.h"

static struct lease_place place(void *ctx, struct span world)
{
    return leases_place(ctx, world);
}

static void doubt(void *ctx, struct span world)
{
    leases_doubt(ctx, world);
}

static void look(void *ctx, struct span world)
{
    leases_look(ctx, world);
}

static void saw(void *ctx, struct span world, int64_t epoch)
{
    leases_saw(ctx, world, epoch);
}

struct places places_of_leases(struct leases *l)
{
    return (struct places){.ctx = l, .place = place, .doubt = doubt, .look = look, .saw = saw};
}
