/* Makes the parts, and ends them. What they do to each other is cluster_leases.c's. */
#include "world/io/redis/cluster.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "world/io/redis/cluster_parts.h"
#include "world/io/server.h"

static void connect_redis(struct cluster *c)
{
    const struct cluster_settings *s = c->settings;
    const char *why;
    enum err e = redis_url_parse(s->url, &c->redis_url, &why);

    assert(e == ERR_OK); /* settings_table has checked it */
    c->redis_settings =
        (struct redis_settings){.url = &c->redis_url, .timeout_ms = s->redis_timeout_ms};
    c->redis_events = cluster_redis_events(c);
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
    c->store_events = cluster_store_events(c);
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
    c->wake.fire = cluster_wake;
    rng_bytes(&id, sizeof(id));
    (void)snprintf(c->id, sizeof(c->id), "%016llx", (unsigned long long)id);
    connect_redis(c);
    open_store(c);
    return c;
}

struct store_port cluster_store_port(struct cluster *c)
{
    return store_redis_port(c->store);
}

static void start_leases(struct cluster *c)
{
    const struct span id = span_str(c->id), url = buf_span(&c->own_url);
    struct rng rng;

    c->tend_settings = (struct tend_settings){
        .prefix = c->settings->prefix, .id = id, .url = url, .ttl_ms = c->settings->ttl_ms};
    c->tend_events = cluster_tend_events(c);
    c->tend = tend_new(c->redis, &c->tend_settings, &c->tend_events);
    c->lease_port = cluster_lease_port(c);
    c->lease_settings =
        (struct lease_settings){.ttl_ms = c->settings->ttl_ms, .id = id, .url = url};
    rng_init(&rng);
    c->leases = leases_new(&c->lease_port, &c->lease_settings, &rng, loop_now(c->loop));
}

void cluster_start(struct cluster *c, struct server *server, struct span url)
{
    const struct cluster_settings *s = c->settings;
    struct places places;

    buf_add_span(&c->own_url, url);
    c->signer = (struct signer){.secrets = s->secrets, .id = span_str(c->id)};
    c->peers_events = cluster_peers_events(c);
    peers_init(&c->peers, c->loop, &c->signer, &c->peers_events);
    knock_init(&c->knock, c->loop, &c->signer);
    start_leases(c);
    health_init(&c->health, c->loop, c->redis, &c->redis_url, &c->stats.store.failing,
                &c->core->findings);
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

struct span cluster_id(const struct cluster *c)
{
    return span_str(c->id);
}

static bool get_peer(void *ctx, size_t i, struct span *id, struct span *url)
{
    const struct cluster *c = ctx;

    return c->leases != NULL && leases_peer(c->leases, i, id, url);
}

struct peers_port cluster_peers_port(struct cluster *c)
{
    return (struct peers_port){.ctx = c, .get = get_peer};
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
    health_stop(&c->health);
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
