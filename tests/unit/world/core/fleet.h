#pragma once
/* Nodes as a world sees them: their heartbeats, on the recorder. Everything is in world-a. */
#include "recorder.h"
#include "world/core/nodes/nodes.h"

enum {
    FLEET_SUSPECT_MS = NODES_BEAT_MS * NODES_SUSPECT,
    FLEET_DEAD_MS = NODES_BEAT_MS * NODES_DEAD,
    FLEET_SETTLE_MS = NODES_BEAT_MS * 3 / 2,
};

/* What a test node says of itself; what is not said is harmless. */
struct said {
    const char *id;
    int64_t epoch; /* 0: 100 */
    int64_t seq;   /* 0: the next */
    uint64_t max, connections;
    bool partial, draining, gone;
    bool stranger;                    /* it follows no orders */
    int64_t have_epoch, have_version; /* 0: what the world told last */
    int64_t now_ms, checkup;          /* 0: not told */
    const char *findings;             /* JSON; NULL: not told */
    const char *version, *url;        /* NULL: harmless ones */
};

static inline struct recorder *fleet_new(int64_t seat_ttl_ms)
{
    struct recorder *r = recorder_new();

    r->settings.seat_ttl_ms = seat_ttl_ms;
    r->core.registry.seat_ttl_ms = seat_ttl_ms;
    return r;
}

static inline struct world *fleet_world(const struct recorder *r)
{
    return registry_world(&r->core.registry, SPAN("world-a"));
}

static inline struct node *fleet_node(const struct recorder *r, const char *id)
{
    return world_node(fleet_world(r), span_str(id));
}

static inline void fleet_text(const struct recorder *r, const struct said *said,
                              const struct beat_shard *shards, size_t count, struct buf *out)
{
    static int64_t seq = 1000;
    const struct node *n = fleet_node(r, said->id);
    bool follows = n != NULL && !said->stranger;
    struct beat b = {
        .node_id = span_str(said->id),
        .epoch = said->epoch == 0 ? 100 : said->epoch,
        .url = SPAN("http://node"),
        .internal_url = span_str(said->url == NULL ? "http://node.internal" : said->url),
        .version = span_str(said->version == NULL ? "1" : said->version),
        .now_ms = said->now_ms,
        .checkup = said->checkup,
        .findings = span_str(said->findings),
        .max_connections = said->max == 0 ? 1000 : said->max,
        .connections = said->connections,
        .draining = said->draining,
        .gone = said->gone,
        .seq = said->seq == 0 ? ++seq : said->seq,
        .full = !said->partial,
        .have_epoch = follows ? n->world->epoch : 0,
        .have_version = follows ? n->version_of_orders : 0,
    };

    if (said->have_epoch != 0)
        b.have_epoch = said->have_epoch;
    if (said->have_version != 0)
        b.have_version = said->have_version;
    beat_open(out, &b);
    for (size_t i = 0; i < count; i++)
        beat_add_shard(out, &shards[i], i == 0);
    beat_close(out);
}

/* Posts a beat; answers the status. The answer is the recorder's last. */
static inline int fleet_beat(struct recorder *r, const struct said *said,
                             const struct beat_shard *shards, size_t count)
{
    struct credentials secret = {.access_count = 1, .access = SPAN(SHARD_SECRET)};
    struct buf body = {0};
    int status;

    fleet_text(r, said, shards, count, &body);
    status = recorder_ask(r, "POST", "/parties/world/world-a/heartbeat", &secret, buf_span(&body));
    buf_clear(&body);
    return status;
}

/* A full beat that holds nothing. */
static inline struct node *fleet_join(struct recorder *r, const char *id)
{
    assert_int_equal(fleet_beat(r, &(struct said){.id = id}, NULL, 0), 200);
    return fleet_node(r, id);
}

/* A partial beat: still there, nothing changed. */
static inline void fleet_still(struct recorder *r, const char *id)
{
    assert_int_equal(fleet_beat(r, &(struct said){.id = id, .partial = true}, NULL, 0), 200);
}

/* A partial beat with these sockets in one shard, all of them new there. */
static inline void fleet_hold(struct recorder *r, const char *id, const struct shard *s,
                              uint64_t open)
{
    struct beat_shard held = {.shard_id = s->id, .open = open, .admitted = open};

    assert_int_equal(fleet_beat(r, &(struct said){.id = id, .partial = true}, &held, 1), 200);
}

/* Time goes by, as it does for a loop that runs; `alive` (may be NULL) is heard every half second.
 */
static inline void fleet_pass(struct recorder *r, int64_t ms, const char *alive)
{
    for (int64_t at = 0; at < ms; at += 250) {
        recorder_pass(r, ms - at < 250 ? ms - at : 250);
        core_tick(&r->core, r->now);
        if (alive != NULL && at % 500 == 0)
            fleet_still(r, alive);
    }
}

static inline bool fleet_has(const struct shard *s, const char *id)
{
    return id == NULL ? s->owner == NULL : s->owner != NULL && span_eq(s->owner->id, span_str(id));
}
