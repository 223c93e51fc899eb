/* What a world process finds wrong with its own settings, files and store. */
#include "common/net/facts.h"

#include "common/base/clock.h"
#include "world/io/process.h"

enum { STORE_LOOK_MS = 1000 };

static void set(void *ctx, enum finding_check check, struct span subject, bool is_so,
                struct span detail)
{
    struct process *p = ctx;

    (void)findings_set(&p->core.findings, check, subject, is_so, detail, clock_wall_ms());
}

static void on_time(struct timer *t, int64_t now)
{
    (void)now;
    process_look(CONTAINER_OF(t, struct process, facts));
}

void process_look(struct process *p)
{
    const struct facts_port port = {.set = set, .ctx = p};
    bool is_shared = p->settings.jwt_alg == TOKEN_HS256;

    facts_certificates(&port, &p->doors, clock_wall_ms());
    facts_descriptors(&port, p->settings.common.max_connections, fd_limit_raise(), 1);
    facts_secret(&port, "SHARD_SECRET", secrets_shortest(&p->secrets), PROCESS_SHARD_SECRET_MIN);
    facts_secret(&port, "AUTH_JWT_SECRET",
                 is_shared ? token_keys_shortest(p->keys) : PROCESS_JWT_SECRET_MIN,
                 PROCESS_JWT_SECRET_MIN);
    p->facts.fire = on_time;
    wheel_set(loop_wheel(p->loop), &p->facts, loop_now(p->loop) + FACTS_LOOK_MS);
}

static void on_store_time(struct timer *t, int64_t now)
{
    struct process *p = CONTAINER_OF(t, struct process, store_look);

    set(p, FINDING_STORE, SPAN("DATA_DIR"), p->stores.sqlite.behind.stats.failing != 0,
        span_str(p->settings.data_dir));
    wheel_set(loop_wheel(p->loop), t, now + STORE_LOOK_MS);
}

void process_watch_store(struct process *p)
{
    if (p->stores.kind != STORES_SQLITE)
        return;
    p->store_look.fire = on_store_time;
    wheel_set(loop_wheel(p->loop), &p->store_look, loop_now(p->loop) + STORE_LOOK_MS);
}

void process_look_away(struct process *p)
{
    wheel_cancel(loop_wheel(p->loop), &p->facts);
    wheel_cancel(loop_wheel(p->loop), &p->store_look);
}
