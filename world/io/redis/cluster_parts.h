#pragma once
/* This process as one of several, for the files that make it: cluster.c (its life) and
 * cluster_leases.c (what its parts want of each other). */
#include "common/proto/redis_url.h"
#include "world/io/redis/cluster.h"
#include "world/io/redis/health.h"
#include "world/io/redis/knock.h"
#include "world/io/redis/peers.h"
#include "world/io/redis/tend.h"

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
    struct health health; /* since it has started */
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

/* What leases want: done by the other parts, and by core. */
struct lease_port cluster_lease_port(struct cluster *c);
/* For `wake`. */
void cluster_wake(struct timer *t, int64_t now);
/* What each part tells leases. */
struct redis_events cluster_redis_events(struct cluster *c);
struct store_redis_events cluster_store_events(struct cluster *c);
struct tend_events cluster_tend_events(struct cluster *c);
struct peers_events cluster_peers_events(struct cluster *c);
