/* The owner look-up without anybody to ask. */
#include "world/io/owner_local.h"

static enum owner find(void *ctx, struct span world)
{
    (void)ctx;
    (void)world;
    return OWNER_US;
}

struct owner_port owner_local_port(void)
{
    return (struct owner_port){.find = find};
}
