/* Looks every few milliseconds whether a step is over. */
#include "world/io/farewell.h"

#include <assert.h>

#include "common/base/log.h"
#include "world/io/passage.h"
#include "world/io/redis/cluster.h"

enum {
    RELEASE_MS = 3000,
    FORWARD_MS = 2000, /* for clients to have an answer and go, and balancers to see that we stop */
    SOCKETS_MS = 3000,
    LOOK_MS = 20,
};

static void farewell_go(struct farewell *f, enum farewell_state next, int64_t now)
{
    assert(next > f->state);
    f->state = next;
    f->since_ms = now;
}

static size_t passed_feeds(const struct farewell *f)
{
    return f->cluster == NULL ? 0 : passage_feeds(f->server->passage);
}

static bool sockets_are_done(const struct farewell *f, int64_t now)
{
    return now - f->since_ms >= SOCKETS_MS ||
           server_connections(f->server) + feed_sockets_count(f->feeds) +
                   shard_proxy_sockets(f->shards) + passed_feeds(f) ==
               0;
}

static void end_sockets(struct farewell *f, int64_t now)
{
    farewell_go(f, FAREWELL_SOCKETS, now);
    f->close_doors(f->ctx);
    server_drain(f->server);
    feed_sockets_close(f->feeds, WS_CODE_RESTART, SPAN("restart"));
    shard_proxy_close(f->shards);
    if (f->cluster != NULL)
        passage_close(f->server->passage);
}

static void end_leases(struct farewell *f, int64_t now)
{
    farewell_go(f, FAREWELL_RELEASE, now);
    f->alone = server_connections(f->server) == 0;
    server_dismiss(f->server);
    cluster_release(f->cluster);
}

static bool leases_are_done(const struct farewell *f, int64_t now)
{
    return now - f->since_ms >= RELEASE_MS || cluster_is_released(f->cluster);
}

/* Who has its last answer may come again. */
static bool forwards_are_done(const struct farewell *f, int64_t now)
{
    return now - f->since_ms >= FORWARD_MS || !cluster_has_others(f->cluster) || f->alone;
}

static void go_on(struct farewell *f, int64_t now)
{
    if (f->state == FAREWELL_RELEASE && leases_are_done(f, now)) {
        log_info("process.released", "all=%d", cluster_is_released(f->cluster));
        farewell_go(f, FAREWELL_FORWARD, now);
    }
    if (f->state == FAREWELL_FORWARD && forwards_are_done(f, now))
        end_sockets(f, now);
    if (f->state == FAREWELL_SOCKETS && sockets_are_done(f, now))
        farewell_go(f, FAREWELL_OVER, now);
}

static void look(struct timer *t, int64_t now)
{
    struct farewell *f = CONTAINER_OF(t, struct farewell, look);

    go_on(f, now);
    if (f->state == FAREWELL_OVER)
        loop_stop(f->loop);
    else
        wheel_set(loop_wheel(f->loop), &f->look, now + LOOK_MS);
}

bool farewell_begin(struct farewell *f)
{
    int64_t now = loop_now(f->loop);

    if (f->state != FAREWELL_NOT)
        return false;
    log_info("process.stop", "how=orderly connections=%zu admins=%zu",
             server_connections(f->server), feed_sockets_count(f->feeds));
    if (f->cluster != NULL)
        end_leases(f, now);
    else
        end_sockets(f, now);
    f->look.fire = look;
    wheel_set(loop_wheel(f->loop), &f->look, now);
    return true;
}

void farewell_stop(struct farewell *f)
{
    wheel_cancel(loop_wheel(f->loop), &f->look);
}
