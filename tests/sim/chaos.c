/* One thing at a time; each undoes itself after a while. */
#include "tests/sim/chaos.h"

#include <stdio.h>

#include "tests/sim/fleet.h"
#include "tests/sim/site.h"

enum {
    OUTAGE_MS = 20000,
    STALL_MS = 6000,
    CUT_MS = 20000,
    WALL_JUMP_MS = 3600 * 1000,
};

static struct station *some_station(struct sim *s)
{
    return &s->fleet->stations[sim_below(s, (uint64_t)s->plan.nodes)];
}

static struct host *some_host(struct sim *s)
{
    return &s->hosts[sim_below(s, (uint64_t)s->plan.nodes + 1)];
}

static int64_t mostly_short(struct sim *s, int64_t max_ms)
{
    return sim_chance(s, 500) ? sim_between(s, 0, max_ms / 10) : sim_between(s, 0, max_ms);
}

/* ---- processes */

static void start_node(void *ctx, void *arg)
{
    struct station *st = ctx;
    (void)arg;
    if (st->core == NULL)
        station_start(st);
    else if (st->ends) /* not yet */
        sim_plan(st->sim, 1000, NULL, start_node, st, NULL);
}

static void kill_node(struct sim *s)
{
    struct station *st = some_station(s);
    if (st->core == NULL)
        return;
    station_kill(st);
    sim_plan(s, mostly_short(s, OUTAGE_MS), NULL, start_node, st, NULL);
}

static void end_node(struct sim *s)
{
    struct station *st = some_station(s);
    if (st->core == NULL || s->now < st->host->stalled_until)
        return;
    sim_say(s, "%s is told to end", st->id);
    station_end(st);
    sim_plan(s, 12000 + mostly_short(s, OUTAGE_MS), NULL, start_node, st, NULL);
}

static void start_world(void *ctx, void *arg)
{
    struct sim *s = ctx;
    (void)arg;
    if (s->hosts[SIM_WORLD].up)
        return;
    site_start(s->site);
    sim_say(s, "the world starts as epoch %lld", (long long)site_epoch(s->site));
}

static void kill_world(struct sim *s)
{
    if (!s->hosts[SIM_WORLD].up)
        return;
    sim_say(s, "the world is gone");
    site_kill(s->site);
    sim_plan(s, mostly_short(s, OUTAGE_MS / 2), NULL, start_world, s, NULL);
}

static void stall(struct sim *s)
{
    struct host *h = some_host(s);
    int64_t ms = mostly_short(s, STALL_MS);
    if (!h->up || s->now < h->stalled_until)
        return;
    sim_say(s, "host %d stands still for %lld ms", h->index, (long long)ms);
    h->stalled_until = s->now + ms;
}

/* ---- the network and clocks */

static void mend(void *ctx, void *arg)
{
    struct host *h = ctx;
    (void)arg;
    h->cut_off = false;
}

static void cut_off(struct sim *s)
{
    struct host *h = some_host(s);
    int64_t ms = mostly_short(s, CUT_MS);
    if (h->cut_off)
        return;
    sim_say(s, "host %d is cut off for %lld ms", h->index, (long long)ms);
    h->cut_off = true;
    sim_plan(s, ms, NULL, mend, h, NULL);
}

static void move_clock(struct sim *s)
{
    struct host *h = some_host(s);
    h->wall_off_ms = sim_between(s, -WALL_JUMP_MS, WALL_JUMP_MS);
    sim_say(s, "the wall clock of host %d is off by %lld ms", h->index, (long long)h->wall_off_ms);
}

static void drop_link(struct sim *s)
{
    struct station *st = some_station(s);
    if (st->core != NULL && s->now >= st->host->stalled_until)
        station_drop_link(st);
}

/* ---- operators */

static void told(void *ctx, uint64_t tag, int status, struct span body)
{
    struct sim *s = ctx;
    (void)tag;
    if (status != 200 && status != 0)
        sim_say(s, "an operator is told %d %.*s", status, SPAN_ARG(body));
}

static void order_at(struct sim *s, const char *path, struct buf *body)
{
    sim_say(s, "an operator: %s %.*s", path, (int)body->len, body->data);
    const struct net_request request = {
        .kind = NET_ADMIN,
        .method = "POST",
        .path = path,
        .body = buf_span(body),
        .timeout_ms = 5000,
        .done = told,
        .ctx = s,
    };
    net_post(s->net, &request);
    buf_clear(body);
}

static void order(struct sim *s, const char *verb, struct buf *body)
{
    char path[NET_PATH_MAX];
    (void)snprintf(path, sizeof path, "/parties/world/" SIM_WORLD_ID "/%s", verb);
    order_at(s, path, body);
}

static void register_room(struct sim *s)
{
    static const char *const strategies[] = {
        "round-robin", "least-connections", "random", "packed", "p2c", "hash"};
    struct buf body = {.len = 0};
    buf_addf(&body,
             "{\"name\":\"room%d\",\"balancingStrategy\":\"%s\",\"public\":true,"
             "\"maxPlayersPerShard\":%d,\"minShards\":%d,\"maxShards\":%d}",
             (int)sim_below(s, (uint64_t)s->plan.rooms), strategies[sim_below(s, 6)],
             (int)sim_between(s, 1, 6), (int)sim_between(s, 1, 2), (int)sim_between(s, 3, 8));
    order(s, "register-room", &body);
}

static int shards_of(struct sim *s, const char *room)
{
    struct seen_shard seen;
    int count = 0;
    for (size_t at = 0; site_next_shard(s->site, &at, &seen);)
        count += span_eq(seen.room, span_str(room)) ? 1 : 0;
    return count;
}

/* Who is polite has nobody's seat taken away. */
static void scale_room(struct sim *s)
{
    struct buf body = {.len = 0};
    char room[16];
    (void)snprintf(room, sizeof room, "room%d", (int)sim_below(s, (uint64_t)s->plan.rooms));
    int least = s->plan.polite ? shards_of(s, room) + 1 : 1;
    buf_addf(&body, "{\"roomId\":\"%s\",\"targetShardCount\":%d}", room,
             (int)sim_between(s, least, least + 6));
    order(s, "scale-room", &body);
}

static bool some_shard(struct sim *s, struct seen_shard *out)
{
    struct seen_shard seen;
    uint64_t count = 0;
    for (size_t at = 0; site_next_shard(s->site, &at, &seen);) {
        if (sim_below(s, ++count) == 0)
            *out = seen;
    }
    return count > 0;
}

static void set_status(struct sim *s)
{
    static const char *const verbs[] = {"drain", "drain", "activate", "activate", "maintenance"};
    struct seen_shard shard;
    struct buf body = {.len = 0};
    char path[NET_PATH_MAX];
    if (!some_shard(s, &shard))
        return;
    uint64_t verb = sim_below(s, 5);
    (void)snprintf(path, sizeof path, "/api/v1/worlds/" SIM_WORLD_ID "/shards/%.*s/%s",
                   SPAN_ARG(shard.id), verbs[verb]);
    if (verb == 0)
        buf_addf(&body, "{\"deadlineMs\":%d}", (int)sim_between(s, 100, 10000));
    else
        BUF_ADD_LIT(&body, "{}");
    order_at(s, path, &body);
}

static void undrain(void *ctx, void *arg)
{
    struct station *st = ctx;
    (void)arg;
    site_drain_node(st->sim->site, span_str(st->id), false, 0);
}

static void drain_node(struct sim *s)
{
    struct station *st = some_station(s);
    int64_t deadline_ms = sim_chance(s, 500) ? 0 : sim_between(s, 100, 15000);
    if (!s->hosts[SIM_WORLD].up || s->now < s->hosts[SIM_WORLD].stalled_until)
        return;
    sim_say(s, "an operator has %s drained in %lld ms", st->id, (long long)deadline_ms);
    site_drain_node(s->site, span_str(st->id), true, deadline_ms);
    sim_plan(s, sim_between(s, 1000, 30000), &s->hosts[SIM_WORLD], undrain, st, NULL);
}

/* What happens, and how often. */
static const struct event {
    void (*happen)(struct sim *s);
    int weight;
    bool polite; /* also where nothing fails */
} events[] = {
    {kill_node, 8, false},   {end_node, 5, false},     {kill_world, 6, false},
    {stall, 12, false},      {cut_off, 10, false},     {move_clock, 3, false},
    {drop_link, 10, false},  {register_room, 8, true}, {scale_room, 10, true},
    {set_status, 12, false}, {drain_node, 5, false},
};

void chaos_step(struct sim *s)
{
    int all = 0;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        all += s->plan.polite && !events[i].polite ? 0 : events[i].weight;
    int at = (int)sim_below(s, (uint64_t)all);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (s->plan.polite && !events[i].polite)
            continue;
        at -= events[i].weight;
        if (at < 0) {
            events[i].happen(s);
            return;
        }
    }
}

void chaos_end(struct sim *s)
{
    s->calm = true;
    for (int i = 0; i <= s->plan.nodes; i++) {
        struct host *h = &s->hosts[i];
        h->cut_off = false;
        h->stalled_until = h->stalled_until < s->now ? h->stalled_until : s->now;
    }
    start_world(s, NULL);
    for (int i = 0; i < s->plan.nodes; i++) {
        struct station *st = &s->fleet->stations[i];
        start_node(st, NULL);
        sim_plan(s, 0, &s->hosts[SIM_WORLD], undrain, st, NULL);
    }
}
