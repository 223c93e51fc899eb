/* What a node finds wrong with its own settings and files. */
#include "common/net/facts.h"

#include "common/base/clock.h"
#include "shard/core/checks.h"
#include "shard/io/process.h"

static void set(void *ctx, enum finding_check check, struct span subject, bool is_so,
                struct span detail)
{
    struct process *p = ctx;
    checks_fact(node_checks(p->node), check, subject, is_so, detail);
    ticker_touch(&p->ticker);
}

static void on_time(struct timer *t, int64_t now)
{
    (void)now;
    process_look(CONTAINER_OF(t, struct process, facts));
}

/* A certificate that was read again may be as old as before; the rest changes by SIGHUP. */
void process_look(struct process *p)
{
    struct checks *checks = node_checks(p->node);
    const struct facts_port port = {.set = set, .ctx = p};
    bool signs = p->keys != NULL && p->settings.jwt_alg == TOKEN_HS256;
    facts_certificates(&port, &p->doors, clock_wall_ms());
    facts_descriptors(&port, p->settings.common.max_connections, fd_limit_raise(),
                      process_descriptors_each(p->routes));
    facts_secret(&port, "SHARD_SECRET", secrets_shortest(&p->secrets), PROCESS_SHARD_SECRET_MIN);
    facts_secret(&port, "AUTH_JWT_SECRET",
                 signs ? token_keys_shortest(p->keys) : PROCESS_JWT_SECRET_MIN,
                 PROCESS_JWT_SECRET_MIN);
    checks_trust(checks, &p->trusted);
    checks_trust(checks, &p->fronts);
    checks_ping(checks, p->settings.common.ping_ms);
    p->facts.fire = on_time;
    wheel_set(loop_wheel(p->loop), &p->facts, loop_now(p->loop) + FACTS_LOOK_MS);
}
