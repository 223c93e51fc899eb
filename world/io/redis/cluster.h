#pragma once
/* This process as one of several that share their worlds through Redis (docs/design.md section 7):
 * owns the connection, the leases, the records, what is passed on, and what other processes are
 * told and asked; makes one act on what the other says. Decides nothing itself. */
#include "world/core/core.h"
#include "world/io/passage.h"
#include "world/io/redis/store_redis.h"

enum { CLUSTER_ID_LEN = 16 };

struct cluster;
struct http_exchange;
struct server;

/* All borrowed. */
struct cluster_settings {
    struct span url;               /* REDIS_URL; it can be parsed */
    struct span prefix;            /* of keys */
    const struct secrets *secrets; /* of the cluster */
    int64_t redis_timeout_ms;      /* of connecting, and of each command */
    int64_t replicas;              /* that must have a commit before it counts as durable */
    int64_t ttl_ms;                /* of leases */
    int64_t wait_ms;               /* how long a request waits for an owner of its world */
};

/* For metrics. */
struct cluster_stats {
    struct redis_stats redis;
    struct store_stats store;
    struct passage_stats passage;
    uint64_t peers;                /* gauge: other processes, as Redis said last */
    uint64_t knocks, knocks_heard; /* looked up by cluster_stats */
    uint64_t questions, answers;   /* of peers; likewise */
};

/* Connects to Redis at once. `core` need not be initialised yet. */
struct cluster *cluster_new(struct loop *l, struct core *core,
                            const struct cluster_settings *settings);
/* For core, from the beginning: until cluster_start nobody decides for any world. */
struct store_port cluster_store_port(struct cluster *c);
struct owner_port cluster_owner_port(struct cluster *c);
struct peers_port cluster_peers_port(struct cluster *c);
/* Takes part from now on. `url` (copied): where the others reach this process. Core and server are
 * initialised; the server has its passage from here. */
void cluster_start(struct cluster *c, struct server *server, struct span url);

/* True when the request was another process's question; then it is answered. It is signed: the
 * caller has seen to that. */
bool cluster_take(struct cluster *c, struct http_exchange *x);
/* What this process is called among the others. Borrowed. */
struct span cluster_id(const struct cluster *c);
bool cluster_reaches_redis(const struct cluster *c);
const struct cluster_stats *cluster_stats(struct cluster *c);
const struct lease_stats *cluster_lease_stats(const struct cluster *c);

/* The process ends: decides for no world from now on, and lets others have its leases. */
void cluster_release(struct cluster *c);
/* That is over. */
bool cluster_is_released(const struct cluster *c);
/* There is somebody to pass requests on to. */
bool cluster_has_others(const struct cluster *c);
/* What is under way is cut off, before the server is closed; the loop must turn before
 * cluster_free. */
void cluster_abort(struct cluster *c);
void cluster_free(struct cluster *c);
