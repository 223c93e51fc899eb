/* Leases are in the middle: hands what they want to the part that does it, and what each part says
 * to them. Before they are there nobody decides for any world. */
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "world/io/moment_now.h"
#include "world/io/redis/cluster_parts.h"

static int64_t now_ms(const struct cluster *c)
{
    return loop_now(c->loop);
}

/* ---- what leases want */

static int64_t lease_clock(void *ctx)
{
    (void)ctx;
    return clock_mono_ms();
}

static void lease_tend(void *ctx, const struct lease_wish *wishes, size_t count)
{
    struct cluster *c = ctx;

    tend_send(c->tend, wishes, count);
}

static void lease_ask_peers(void *ctx, const struct lease_peer *peers, size_t count)
{
    struct cluster *c = ctx;

    peers_ask(&c->peers, peers, count);
}

static void lease_load(void *ctx, struct span world, int64_t epoch)
{
    struct cluster *c = ctx;

    store_redis_load(c->store, world, epoch);
}

static void lease_raise(void *ctx, struct span world, int64_t epoch)
{
    struct cluster *c = ctx;

    core_raise_world(c->core, world, epoch);
    store_redis_raise(c->store, world, epoch);
}

static void lease_close(void *ctx, struct span world)
{
    struct cluster *c = ctx;

    store_redis_close(c->store, world);
}

static void lease_drop(void *ctx, struct span world)
{
    struct cluster *c = ctx;

    store_redis_drop(c->store, world);
    core_drop_world(c->core, world, moment_now(c->loop));
}

static void lease_moved(void *ctx, struct span world)
{
    struct cluster *c = ctx;

    passage_moved(c->passage, world);
}

/* It may be asked for several times; the first is the one that counts. */
static void lease_wake(void *ctx, int64_t due_ms)
{
    struct cluster *c = ctx;

    if (!timer_is_set(&c->wake) || due_ms < c->wake.due_ms)
        wheel_set(loop_wheel(c->loop), &c->wake, due_ms);
}

void cluster_wake(struct timer *t, int64_t now)
{
    leases_tick(CONTAINER_OF(t, struct cluster, wake)->leases, now);
}

struct lease_port cluster_lease_port(struct cluster *c)
{
    return (struct lease_port){
        .ctx = c,
        .clock = lease_clock,
        .tend = lease_tend,
        .ask_peers = lease_ask_peers,
        .load = lease_load,
        .raise = lease_raise,
        .close = lease_close,
        .drop = lease_drop,
        .moved = lease_moved,
        .wake = lease_wake,
    };
}

/* ---- what the others say */

static void let_store_go_on(struct cluster *c)
{
    if (!c->held)
        return;
    c->held = false;
    store_redis_up(c->store);
}

static void on_tended(void *ctx, const struct lease_news *news, size_t count,
                      const struct lease_peer *peers, size_t peer_count, int64_t sent_ms)
{
    struct cluster *c = ctx;

    c->stats.peers = peer_count;
    health_wrote(&c->health);
    leases_tended(c->leases, news, count, peers, peer_count, sent_ms, now_ms(c));
    let_store_go_on(c);
}

static void on_tend_failed(void *ctx)
{
    struct cluster *c = ctx;

    leases_tend_failed(c->leases, now_ms(c));
    store_redis_refuse(c->store);
}

static void on_peers_said(void *ctx, const struct lease_answers *said, int64_t asked_ms)
{
    struct cluster *c = ctx;

    leases_peers_said(c->leases, said, asked_ms, now_ms(c));
}

static struct lease_reach on_peer_asks(void *ctx)
{
    return leases_tell_peer(((struct cluster *)ctx)->leases);
}

static void on_redis_up(void *ctx)
{
    struct cluster *c = ctx;

    if (c->leases == NULL)
        return;
    health_up(&c->health);
    c->held = true;
    store_redis_hold(c->store);
    leases_redis_up(c->leases, now_ms(c));
}

static void on_redis_down(void *ctx)
{
    let_store_go_on(ctx); /* whoever waits is told; leases go by the clock */
}

static void on_redis_refused(void *ctx, struct span why)
{
    struct cluster *c = ctx;

    if (c->leases != NULL)
        health_refused(&c->health, why);
}

struct knocking {
    struct cluster *cluster;
    struct span world;
};

static void knock_at_node(void *ctx, struct span node, struct span url)
{
    const struct knocking *k = ctx;

    (void)node;
    knock_at(&k->cluster->knock, k->world, url);
}

/* The world's nodes have not been heard yet, but may be told whom to beat to. */
static void on_loaded(void *ctx, struct span world, enum err e, struct span why)
{
    struct cluster *c = ctx;
    struct knocking knocking = {.cluster = c, .world = world};

    leases_loaded(c->leases, world, e, why, now_ms(c));
    if (e == ERR_OK && leases_find(c->leases, world) == OWNER_US)
        core_each_node(c->core, world, knock_at_node, &knocking);
}

static void on_closed(void *ctx, struct span world)
{
    struct cluster *c = ctx;

    leases_closed(c->leases, world, now_ms(c));
}

static void on_lost(void *ctx, struct span world)
{
    struct cluster *c = ctx;

    leases_lost(c->leases, world, now_ms(c));
}

struct redis_events cluster_redis_events(struct cluster *c)
{
    return (struct redis_events){
        .ctx = c, .up = on_redis_up, .down = on_redis_down, .refused = on_redis_refused};
}

struct store_redis_events cluster_store_events(struct cluster *c)
{
    return (struct store_redis_events){
        .ctx = c, .loaded = on_loaded, .closed = on_closed, .lost = on_lost};
}

struct tend_events cluster_tend_events(struct cluster *c)
{
    return (struct tend_events){.ctx = c, .tended = on_tended, .failed = on_tend_failed};
}

struct peers_events cluster_peers_events(struct cluster *c)
{
    return (struct peers_events){.ctx = c, .said = on_peers_said, .tell = on_peer_asks};
}

/* ---- what core asks */

static enum owner owner_find(void *ctx, struct span world)
{
    struct cluster *c = ctx;

    return c->leases == NULL ? OWNER_SOUGHT : leases_find(c->leases, world);
}

static bool owner_outdated(void *ctx, struct span world, int64_t seen)
{
    struct cluster *c = ctx;

    leases_saw(c->leases, world, seen);
    return false;
}

static bool owner_idle(void *ctx, struct span world)
{
    struct cluster *c = ctx;

    leases_idle(c->leases, world);
    return false;
}

static struct span owner_why(void *ctx, struct span world)
{
    struct cluster *c = ctx;

    return leases_place(c->leases, world).why;
}

struct owner_port cluster_owner_port(struct cluster *c)
{
    return (struct owner_port){.ctx = c,
                               .find = owner_find,
                               .outdated = owner_outdated,
                               .idle = owner_idle,
                               .why = owner_why};
}
