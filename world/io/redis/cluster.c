/* Hands what each part says to those who wait for it. */
#include "world/io/redis/cluster.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/proto/redis_url.h"
#include "world/io/moment_now.h"
#include "world/io/redis/knock.h"
#include "world/io/redis/peers.h"
#include "world/io/redis/tend.h"
#include "world/io/server.h"

struct cluster {
    struct loop *loop;
    struct core *core;
    const struct cluster_settings *settings;
    char id[CLUSTER_ID_LEN + 1];
    struct buf own_url;
    struct redis_url redis_url;
    struct redis_settings redis_settings;
    struct redis_events redis_events;
    struct redis *redis;
    struct store_redis_settings store_settings;
    struct store_redis_events store_events;
    struct store_redis *store;
    bool held; /* the store, until leases are known */
    struct lease_port lease_port;
    struct lease_settings lease_settings;
    struct leases *leases; /* NULL until it starts, as all that follows */
    struct tend_settings tend_settings;
    struct tend_events tend_events;
    struct tend *tend;
    struct timer wake;
    struct passage_settings passage_settings;
    struct passage *passage;
    struct signer signer;
    struct peers_events peers_events;
    struct peers peers;
    struct knock knock;
    struct cluster_stats stats;
};

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

static void on_wake(struct timer *t, int64_t now)
{
    leases_tick(CONTAINER_OF(t, struct cluster, wake)->leases, now);
}

static const struct lease_port lease_port = {
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
    c->held = true;
    store_redis_hold(c->store);
    leases_redis_up(c->leases, now_ms(c));
}

static void on_redis_down(void *ctx)
{
    let_store_go_on(ctx); /* whoever waits is told; leases go by the clock */
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

struct store_port cluster_store_port(struct cluster *c)
{
    return store_redis_port(c->store);
}

/* ---- life */

static void connect_redis(struct cluster *c)
{
    const struct cluster_settings *s = c->settings;
    const char *why;
    enum err e = redis_url_parse(s->url, &c->redis_url, &why);

    assert(e == ERR_OK); /* settings_table has checked it */
    c->redis_settings =
        (struct redis_settings){.url = &c->redis_url, .timeout_ms = s->redis_timeout_ms};
    c->redis_events = (struct redis_events){.ctx = c, .up = on_redis_up, .down = on_redis_down};
    c->redis = redis_new(c->loop, &c->redis_settings, &c->redis_events, &c->stats.redis);
}

static void open_store(struct cluster *c)
{
    const struct cluster_settings *s = c->settings;

    c->store_settings = (struct store_redis_settings){
        .prefix = s->prefix,
        .id = span_str(c->id),
        .wait_replicas = s->replicas,
        .timeout_ms = s->redis_timeout_ms,
        .patience_ms = s->wait_ms * 9 / 10, /* the answer is to come within the whole */
    };
    c->store_events = (struct store_redis_events){
        .ctx = c, .loaded = on_loaded, .closed = on_closed, .lost = on_lost};
    c->store = store_redis_new(c->loop, c->core, c->redis, &c->store_settings, &c->store_events,
                               &c->stats.store);
}

struct cluster *cluster_new(struct loop *l, struct core *core,
                            const struct cluster_settings *settings)
{
    struct cluster *c = xcalloc(1, sizeof(*c));
    uint64_t id;

    c->loop = l;
    c->core = core;
    c->settings = settings;
    c->wake.fire = on_wake;
    rng_bytes(&id, sizeof(id));
    (void)snprintf(c->id, sizeof(c->id), "%016llx", (unsigned long long)id);
    connect_redis(c);
    open_store(c);
    return c;
}

static void start_leases(struct cluster *c)
{
    const struct span id = span_str(c->id), url = buf_span(&c->own_url);
    struct rng rng;

    c->tend_settings = (struct tend_settings){
        .prefix = c->settings->prefix, .id = id, .url = url, .ttl_ms = c->settings->ttl_ms};
    c->tend_events = (struct tend_events){.ctx = c, .tended = on_tended, .failed = on_tend_failed};
    c->tend = tend_new(c->redis, &c->tend_settings, &c->tend_events);
    c->lease_port = lease_port;
    c->lease_port.ctx = c;
    c->lease_settings =
        (struct lease_settings){.ttl_ms = c->settings->ttl_ms, .id = id, .url = url};
    rng_init(&rng);
    c->leases = leases_new(&c->lease_port, &c->lease_settings, &rng, now_ms(c));
}

void cluster_start(struct cluster *c, struct server *server, struct span url)
{
    const struct cluster_settings *s = c->settings;
    struct places places;

    buf_add_span(&c->own_url, url);
    c->signer = (struct signer){.secrets = s->secrets, .id = span_str(c->id)};
    c->peers_events = (struct peers_events){.ctx = c, .said = on_peers_said, .tell = on_peer_asks};
    peers_init(&c->peers, c->loop, &c->signer, &c->peers_events);
    knock_init(&c->knock, c->loop, &c->signer);
    start_leases(c);
    c->passage_settings = (struct passage_settings){
        .secrets = s->secrets, .id = span_str(c->id), .wait_ms = s->wait_ms};
    places = places_of_leases(c->leases);
    c->passage = passage_new(c->loop, server, &places, &c->passage_settings, &c->stats.passage);
    server->passage = c->passage;
    server->cluster = c;
    log_info("cluster.start", "id=%s url=%.*s", c->id, SPAN_ARG(url));
}

bool cluster_take(struct cluster *c, struct http_exchange *x)
{
    return peers_take(&c->peers, x);
}

bool cluster_reaches_redis(const struct cluster *c)
{
    return redis_is_up(c->redis);
}

const struct cluster_stats *cluster_stats(struct cluster *c)
{
    c->stats.knocks = c->knock.sent;
    c->stats.knocks_heard = c->knock.heard;
    c->stats.questions = c->peers.questions;
    c->stats.answers = c->peers.answers;
    return &c->stats;
}

const struct lease_stats *cluster_lease_stats(const struct cluster *c)
{
    return leases_stats(c->leases);
}

void cluster_release(struct cluster *c)
{
    leases_release(c->leases);
}

bool cluster_is_released(const struct cluster *c)
{
    return leases_are_released(c->leases);
}

bool cluster_has_others(const struct cluster *c)
{
    return c->stats.peers > 0;
}

void cluster_abort(struct cluster *c)
{
    wheel_cancel(loop_wheel(c->loop), &c->wake);
    redis_free(c->redis);
    c->redis = NULL;
    if (c->leases == NULL)
        return;
    passage_abort(c->passage);
    peers_clear(&c->peers);
    knock_clear(&c->knock);
}

void cluster_free(struct cluster *c)
{
    if (c->leases != NULL) {
        passage_free(c->passage);
        leases_free(c->leases);
        tend_free(c->tend);
    }
    store_redis_free(c->store);
    redis_url_clear(&c->redis_url);
    buf_clear(&c->own_url);
    free(c);
}
