/* Looks every few milliseconds whether a step is over; what ends a step is asked of those who know.
 */
#include "shard/io/farewell.h"

#include <assert.h>
#include <inttypes.h>

#include "common/base/log.h"
#include "common/net/forward.h"
#include "common/net/tunnel.h"
#include "shard/io/doorman.h"
#include "shard/io/greeter.h"
#include "shard/io/pass.h"

enum {
    SOCKETS_MS = 5000, /* for closing handshakes, and for requests that are under way */
    LINKS_MS = 500,
    WORLDS_MS = 500,
    LOOK_MS = 10,
};

#define RETRY SPAN("restart;retry=1000-5000")

static void farewell_go(struct farewell *f, enum farewell_state next, int64_t now)
{
    assert(next == f->state + 1);
    f->state = next;
    f->since_ms = now;
}

/* Whom core does not close: they pass through to other nodes, or to servers without a shard. */
static size_t others_staying(const struct farewell *f)
{
    return tunnels_staying(f->peer_tunnels) + tunnels_staying(&f->passes->visitors);
}

static bool clients_are_done(const struct farewell *f)
{
    return node_has_ended(f->ticker->node) && others_staying(f) == 0;
}

static bool sockets_are_done(const struct farewell *f, int64_t now)
{
    return now - f->since_ms >= SOCKETS_MS ||
           (edge_clients_are_gone(f->clients) && list_empty(&f->forwards->all) &&
            tunnels_count(f->tunnels) == 0 && tunnels_count(f->peer_tunnels) == 0 &&
            tunnels_count(&f->passes->shards) == 0 && tunnels_count(&f->passes->visitors) == 0);
}

static bool links_are_done(const struct farewell *f, int64_t now)
{
    return now - f->since_ms >= LINKS_MS || room_links_are_gone(f->links);
}

static bool worlds_are_done(const struct farewell *f, int64_t now)
{
    return now - f->since_ms >= WORLDS_MS ||
           (reporter_is_idle(f->reporter) && node_has_said_gone(f->ticker->node));
}

/* As many as go now of those whom core does not close. */
static void end_passing(struct farewell *f, int64_t now)
{
    uint64_t count;
    int64_t next_ms;
    if (now < f->pass_ms)
        return;
    uint64_t peers = tunnels_staying(f->peer_tunnels);
    count = node_end_pass(f->ticker->node, others_staying(f), now, &next_ms);
    tunnels_close_some(f->peer_tunnels, count, WS_CODE_RESTART, RETRY);
    if (count > peers)
        tunnels_close_some(&f->passes->visitors, count - peers, WS_CODE_RESTART, RETRY);
    f->pass_ms = now + next_ms;
}

static void end_sockets(struct farewell *f)
{
    doors_close_public(f->doors);
    http_server_drain(f->server);
    tunnels_close(f->tunnels, WS_CODE_RESTART, RETRY);
    tunnels_close(f->peer_tunnels, WS_CODE_RESTART, RETRY);
    tunnels_close(&f->passes->visitors, WS_CODE_RESTART, RETRY);
}

/* As many steps as are over. */
static void farewell_advance(struct farewell *f, int64_t now)
{
    if (f->state == FAREWELL_CLIENTS)
        end_passing(f, now);
    if (f->state == FAREWELL_CLIENTS && clients_are_done(f)) {
        farewell_go(f, FAREWELL_SOCKETS, now);
        end_sockets(f);
    }
    if (f->state == FAREWELL_SOCKETS && sockets_are_done(f, now)) {
        farewell_go(f, FAREWELL_LINKS, now);
        room_links_close(f->links, WS_CODE_GOING_AWAY);
    }
    if (f->state == FAREWELL_LINKS && links_are_done(f, now)) {
        farewell_go(f, FAREWELL_WORLDS, now);
        node_say_gone(f->ticker->node);
        ticker_touch(f->ticker);
    }
    if (f->state == FAREWELL_WORLDS && worlds_are_done(f, now)) {
        farewell_go(f, FAREWELL_OVER, now);
        loop_stop(f->ticker->loop);
    }
}

static void on_look(struct timer *t, int64_t now)
{
    struct farewell *f = CONTAINER_OF(t, struct farewell, look);
    farewell_advance(f, now);
    if (f->state != FAREWELL_OVER)
        wheel_set(loop_wheel(f->ticker->loop), t, now + LOOK_MS);
}

bool farewell_begin(struct farewell *f)
{
    struct node *n = f->ticker->node;
    int64_t now = ticker_now(f->ticker);
    if (f->state != FAREWELL_NOT)
        return false;
    log_info("process.stop", "how=orderly clients=%" PRIu64, node_stats(n)->clients);
    f->look.fire = on_look;
    farewell_go(f, FAREWELL_CLIENTS, now);
    node_end(n, now);
    doorman_dismiss(f->doorman);
    greeter_dismiss(f->greeter);
    ticker_touch(f->ticker);
    wheel_set(loop_wheel(f->ticker->loop), &f->look, now);
    return true;
}

void farewell_stop(struct farewell *f)
{
    wheel_cancel(loop_wheel(f->ticker->loop), &f->look);
}
