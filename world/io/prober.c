/* One call a probe. Once its head is there the rest is of no interest, and the connection goes. */
#include "world/io/prober.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "world/io/moment_now.h"

struct probe {
    struct prober *prober;
    struct handle server;
    struct http_call *call; /* NULL: none, or it is over */
    struct timer end;       /* fires when the time is over, or the probe has nothing to wait for */
    bool good;              /* a head has come */
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
    if (p->call != NULL)
        http_call_cancel(p->call);
    list_remove(&p->node);
    free(p);
}

/* Core is told here only, after which the probe is gone. */
static void probe_end(struct timer *t, int64_t now)
{
    struct probe *p = CONTAINER_OF(t, struct probe, end);
    struct prober *prober = p->prober;
    struct handle server = p->server;
    bool good = p->good;

    (void)now;
    probe_free(p);
    core_probed(prober->core, server, good, moment_now(prober->loop));
}

static void end_soon(struct probe *p)
{
    struct loop *l = p->prober->loop;

    wheel_set(loop_wheel(l), &p->end, loop_now(l));
}

static void on_head(void *ctx, const struct http_head *h)
{
    struct probe *p = ctx;

    (void)h;
    p->good = true;
    end_soon(p);
}

static void on_body(void *ctx, struct span part)
{
    (void)ctx;
    (void)part;
}

static void on_end(void *ctx)
{
    struct probe *p = ctx;

    p->call = NULL;
    end_soon(p);
}

static void on_failed(void *ctx, enum err why)
{
    (void)why;
    on_end(ctx);
}

static const struct http_call_ops call_ops = {
    .head = on_head,
    .body = on_body,
    .end = on_end,
    .failed = on_failed,
};

static void start(void *ctx, struct handle server, struct span origin)
{
    struct prober *prober = ctx;
    struct http_pool *pool = pools_get(&prober->pools, origin);
    struct probe *p = xcalloc(1, sizeof(*p));

    p->prober = prober;
    p->server = server;
    p->end.fire = probe_end;
    list_push(&prober->probes, &p->node);
    if (pool == NULL) {
        end_soon(p);
        return;
    }
    wheel_set(loop_wheel(prober->loop), &p->end, loop_now(prober->loop) + PROBER_MS);
    p->call = http_pool_call(pool, SPAN("GET / HTTP/1.1\r\nUser-Agent: terrane-world\r\n"),
                             HTTP_BODY_NO, &call_ops, p);
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
