/* One errand a probe. Once a head is there the rest is of no interest, and the connection goes. */
#include "world/io/prober.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/net/errand.h"
#include "world/io/moment_now.h"

struct probe {
    struct prober *prober;
    struct handle server;
    struct errand errand;
    struct timer end; /* set when there is nothing to wait for */
    struct list node;
};

static const struct http_pool_settings pool_settings = {
    .connect_ms = PROBER_MS,
    .answer_ms = PROBER_MS,
    .max_idle = 0,
    .idle_ms = 1,
    .high_water = 16 * 1024,
};

static void probe_free(struct probe *p)
{
    wheel_cancel(loop_wheel(p->prober->loop), &p->end);
    errand_clear(&p->errand);
    list_remove(&p->node);
    free(p);
}

/* Core is told here only, after which the probe is gone. */
static void probe_end(struct probe *p)
{
    struct prober *prober = p->prober;
    struct handle server = p->server;
    bool good = p->errand.status != 0;

    probe_free(p);
    core_probed(prober->core, server, good, moment_now(prober->loop));
}

static void on_done(struct errand *e, enum err why)
{
    (void)why; /* whatever comes behind a head */
    probe_end(CONTAINER_OF(e, struct probe, errand));
}

static void on_end(struct timer *t, int64_t now)
{
    (void)now;
    probe_end(CONTAINER_OF(t, struct probe, end));
}

static void start(void *ctx, struct handle server, struct span origin)
{
    struct prober *prober = ctx;
    struct http_pool *pool = pools_get(&prober->pools, origin);
    struct probe *p = xcalloc(1, sizeof(*p));

    p->prober = prober;
    p->server = server;
    p->end.fire = on_end;
    p->errand.done = on_done; /* its answer_max is 0: the first byte behind the head is enough */
    list_push(&prober->probes, &p->node);
    if (pool == NULL)
        wheel_set(loop_wheel(prober->loop), &p->end, loop_now(prober->loop));
    else
        errand_send(&p->errand, prober->loop, pool,
                    SPAN("GET / HTTP/1.1\r\nUser-Agent: terrane-world\r\n"), SPAN(""), PROBER_MS);
}

void prober_init(struct prober *p, struct loop *l, struct core *core)
{
    *p = (struct prober){.loop = l, .core = core};
    list_init(&p->probes);
    pools_init(&p->pools, l, &pool_settings);
}

struct probe_port prober_port(struct prober *p)
{
    return (struct probe_port){.ctx = p, .probe = start};
}

void prober_clear(struct prober *p)
{
    for (struct list *it; (it = list_first(&p->probes)) != NULL;)
        probe_free(CONTAINER_OF(it, struct probe, node));
    pools_clear(&p->pools);
}
