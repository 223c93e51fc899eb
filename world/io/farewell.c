/* Looks every few milliseconds whether a step is over. */
#include "world/io/farewell.h"

#include <assert.h>

#include "common/base/log.h"

enum { SOCKETS_MS = 3000, LOOK_MS = 20 };

static void farewell_go(struct farewell *f, enum farewell_state next, int64_t now)
{
    assert(next > f->state);
    f->state = next;
    f->since_ms = now;
}

static bool sockets_are_done(const struct farewell *f, int64_t now)
{
    return now - f->since_ms >= SOCKETS_MS || server_connections(f->server) +
                                                      feed_sockets_count(f->feeds) +
                                                      shard_proxy_sockets(f->shards) ==
                                                  0;
}

static void end_sockets(struct farewell *f, int64_t now)
{
    farewell_go(f, FAREWELL_SOCKETS, now);
    server_drain(f->server);
    feed_sockets_close(f->feeds, WS_CODE_RESTART, SPAN("restart"));
    shard_proxy_close(f->shards);
}

static void look(struct timer *t, int64_t now)
{
    struct farewell *f = CONTAINER_OF(t, struct farewell, look);

    if (f->state == FAREWELL_SOCKETS && sockets_are_done(f, now)) {
        farewell_go(f, FAREWELL_OVER, now);
        loop_stop(f->loop);
        return;
    }
    wheel_set(loop_wheel(f->loop), &f->look, now + LOOK_MS);
}

bool farewell_begin(struct farewell *f)
{
    int64_t now = loop_now(f->loop);

    if (f->state != FAREWELL_NOT)
        return false;
    log_info("process.stop", "how=orderly connections=%zu admins=%zu",
             server_connections(f->server), feed_sockets_count(f->feeds));
    end_sockets(f, now);
    f->look.fire = look;
    wheel_set(loop_wheel(f->loop), &f->look, now);
    return true;
}

void farewell_stop(struct farewell *f)
{
    wheel_cancel(loop_wheel(f->loop), &f->look);
}
