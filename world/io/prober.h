#pragma once
/* Asks room servers whether they live, for core's probe port: `GET /`, and any HTTP answer will do.
 */
#include "common/net/pools.h"
#include "world/core/core.h"

enum { PROBER_MS = 1000 }; /* a server that takes longer does not live */

struct prober {
    struct loop *loop;
    struct core *core;
    struct pools pools;
    struct list probes; /* struct probe: under way */
};

/* Both are borrowed. */
void prober_init(struct prober *p, struct loop *l, struct core *core);
struct probe_port prober_port(struct prober *p);
/* Forgets what is under way; its connections are gone when the loop has turned. */
void prober_clear(struct prober *p);
