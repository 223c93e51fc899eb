/* The world's core between a store and a network. Time reaches it through items on the agenda. */
#include "tests/sim/site.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "tests/sim/off.h"
#include "tests/sim/promises.h"
#include "tests/sim/rooms.h"
#include "tests/sim/store.h"
#include "world/core/api/api.h"
#include "world/core/core.h"
#include "world/core/nodes/nodes.h"

/* {"alg":"HS256","typ":"JWT"} and {"worlds":["*"]}, signed with JWT_SECRET. */
#define JWT_SECRET "0123456789abcdef0123456789abcdef"
#define TOKEN                                                                                      \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ3b3JsZHMiOlsiKiJdfQ."                                 \
    "adZ5U4p_wVx0UDxCYESw3Ny1RaupuPejCMRIkyOK75A"

static const struct secrets secrets = {SPAN_INIT(SIM_SHARD_SECRET)};

enum { COMMIT_MS = 10, CLOCK_SLACK_MS = 60000 };

struct site {
    struct sim *sim;
    struct core *core; /* NULL: the process is down */
    struct core_settings settings;
    struct port port;
    struct token_keys *keys;
    struct store store;
    int64_t epoch, clock_ms; /* the highest ever; the store has them */
    int64_t due_ms;          /* when core wants to be woken */
    bool commits;            /* a commit is planned */
    enum net_kind asked;     /* the request under way in core */
    struct orders_memory orders;
};

static struct host *host_of(struct site *site)
{
    return &site->sim->hosts[SIM_WORLD];
}

static struct moment now_of(struct site *site)
{
    return (struct moment){.mono_ms = site->sim->now,
                           .wall_ms = sim_wall(site->sim, host_of(site))};
}

/* ---- its port */

static void port_answer(void *ctx, struct handle reply, int status, struct span headers,
                        struct span body)
{
    struct site *site = ctx;
    (void)headers;
    promises_check(site->sim, net_kind_of(site->sim->net, reply),
                   net_body_of(site->sim->net, reply), status, body);
    if (sim_off[SIM_OFF_REPEAT])
        off_note_orders(&site->orders, net_body_of(site->sim->net, reply), body);
    net_answer(site->sim->net, reply, status, body);
}

static void port_pass(void *ctx, struct handle reply)
{
    struct site *site = ctx;
    (void)reply;
    sim_fail(site->sim, "a request is passed on, and there is nobody else");
}

static void port_close(void *ctx, struct handle socket)
{
    (void)ctx;
    (void)socket;
}

static void port_publish(void *ctx, const struct handle *sockets, size_t count, struct span text)
{
    (void)ctx;
    (void)sockets;
    (void)count;
    (void)text;
}

static void stored(void *ctx, uint64_t token)
{
    struct site *site = ctx;
    core_stored(site->core, token, ERR_OK);
}

static void commit(void *ctx, void *arg)
{
    struct site *site = ctx;
    (void)arg;
    site->commits = false;
    store_commit(&site->store, stored, site);
}

static void want_commit(struct site *site)
{
    if (site->commits)
        return;
    site->commits = true;
    sim_plan(site->sim, COMMIT_MS, host_of(site), commit, site, NULL);
}

static void port_put(void *ctx, const struct record *record)
{
    struct site *site = ctx;
    store_put(&site->store, record);
    want_commit(site);
}

static void port_remove(void *ctx, enum record_kind kind, struct span world, struct span key)
{
    struct site *site = ctx;
    store_remove(&site->store, kind, world, key);
    want_commit(site);
}

static void port_sync(void *ctx, struct span world, uint64_t token)
{
    struct site *site = ctx;
    (void)world;
    store_sync(&site->store, token);
    want_commit(site);
}

static enum owner port_find(void *ctx, struct span world)
{
    (void)ctx;
    (void)world;
    return OWNER_US;
}

static bool port_outdated(void *ctx, struct span world, int64_t seen)
{
    (void)ctx;
    (void)world;
    (void)seen;
    return true;
}

static bool port_idle(void *ctx, struct span world)
{
    (void)ctx;
    (void)world;
    return true;
}

static struct span port_why(void *ctx, struct span world)
{
    (void)ctx;
    (void)world;
    return SPAN("");
}

static void tick(void *ctx, void *arg)
{
    struct site *site = ctx;
    (void)arg;
    if (site->due_ms > site->sim->now)
        return; /* another one is planned */
    site->due_ms = INT64_MAX;
    core_tick(site->core, now_of(site));
}

static void port_wake(void *ctx, int64_t due_ms)
{
    struct site *site = ctx;
    int64_t now = site->sim->now;
    due_ms = due_ms < now ? now : due_ms;
    if (due_ms >= site->due_ms)
        return;
    site->due_ms = due_ms;
    sim_plan(site->sim, due_ms - now, host_of(site), tick, site, NULL);
}

/* ---- its life */

struct site *site_new(struct sim *s)
{
    struct site *site = xcalloc(1, sizeof *site);
    site->sim = s;
    enum err e = token_keys_new(&site->keys, TOKEN_HS256, SPAN(JWT_SECRET));
    assert(e == ERR_OK);
    (void)e;
    site->port = (struct port){
        .reply = {site, port_answer, port_pass},
        .feed = {site, port_publish, port_close},
        .store = {site, port_put, port_remove, port_sync},
        .owner = {site, port_find, port_outdated, port_idle, port_why},
        .ticker = {site, port_wake},
    };
    site->settings = (struct core_settings){
        .secrets = &secrets,
        .keys = site->keys,
        .url_template = SPAN("{shardId}"),
        .max_room_shards = 12,
        .seat_ttl_ms = SIM_SEAT_TTL_MS,
        .strangers = {.max = 10000, .per_s = 10000, .worlds = 1000},
    };
    return site;
}

static void load(void *ctx, const struct record *r)
{
    struct site *site = ctx;
    if (core_restore(site->core, r, now_of(site)) != ERR_OK)
        sim_fail(site->sim, "the store has a record that cannot be read");
}

void site_start(struct site *site)
{
    struct sim *s = site->sim;
    int64_t wall_ms = sim_wall(s, host_of(site));
    struct rng rng;
    rng_seed(&rng, rng_next(&s->rng));
    site->epoch = site->epoch + 1 > wall_ms ? site->epoch + 1 : wall_ms;
    site->settings.epoch = site->epoch;
    site->settings.id_floor_ms =
        wall_ms > site->clock_ms ? site->clock_ms : site->clock_ms + CLOCK_SLACK_MS;
    site->core = xcalloc(1, sizeof *site->core);
    site->due_ms = INT64_MAX;
    host_of(site)->up = true;
    core_init(site->core, &site->port, &site->settings, &rng, now_of(site));
    store_load(&site->store, load, site);
    core_wake(site->core);
}

void site_kill(struct site *site)
{
    int64_t wall_ms = sim_wall(site->sim, host_of(site));
    if (site->core == NULL)
        return;
    rooms_lose_world(site->sim->rooms);
    site->clock_ms = wall_ms > site->clock_ms ? wall_ms : site->clock_ms;
    core_clear(site->core);
    free(site->core);
    site->core = NULL;
    site->commits = false;
    store_crash(&site->store);
    off_forget(&site->orders);
    host_of(site)->up = false;
    host_of(site)->life++;
}

void site_free(struct site *site)
{
    site_kill(site);
    store_clear(&site->store);
    token_keys_free(site->keys);
    free(site);
}

void site_request(struct site *site, struct handle reply, enum net_kind kind, const char *method,
                  const char *path, struct span body)
{
    struct buf changed = {.len = 0};
    struct api_request request = {
        .reply = reply,
        .method = span_str(method),
        .path = span_str(path),
        .body = body,
    };
    if (kind == NET_ADMIN)
        request.credentials.authorization = SPAN(TOKEN);
    else if (kind != NET_CONNECT)
        request.credentials =
            (struct credentials){.access_count = 1, .access = SPAN(SIM_SHARD_SECRET)};
    if (kind == NET_BEAT && off_change_beat(&site->orders, body, &changed))
        request.body = buf_span(&changed);
    api_handle(site->core, &request, now_of(site));
    buf_clear(&changed);
}

static struct world *world_of(const struct site *site)
{
    return site->core == NULL ? NULL : registry_world(&site->core->registry, SPAN(SIM_WORLD_ID));
}

void site_drain_node(struct site *site, struct span node, bool on, int64_t deadline_ms)
{
    struct node *n = world_node(world_of(site), node);
    const struct order_drain how = {.deadline_ms = deadline_ms};
    if (n == NULL)
        return;
    node_drain(&site->core->registry, n, on, &how, now_of(site));
    core_wake(site->core);
}

/* ---- what it knows */

int64_t site_epoch(const struct site *site)
{
    return site->epoch;
}

static struct seen_shard seen(const struct shard *s)
{
    const struct node *n = s->owner;
    struct seen_shard out = {
        .id = s->id,
        .room = s->room->name,
        .open = s->open,
        .reserved = s->reserved,
        .returning = s->returning,
        .max = s->max,
        .is_active = s->status == SHARD_ACTIVE,
        .is_draining = s->status == SHARD_DRAINING,
    };
    if (n == NULL)
        return out;
    out.owner = n->id;
    out.owner_is_alive = n->state == NODE_ALIVE;
    out.owner_is_silent = n->state == NODE_SUSPECT || n->state == NODE_DEAD;
    out.owner_is_drained = n->draining || n->drain_ordered;
    return out;
}

bool site_shard(const struct site *site, struct span id, struct seen_shard *out)
{
    const struct shard *s = world_shard(world_of(site), id);
    if (s != NULL)
        *out = seen(s);
    return s != NULL;
}

bool site_next_shard(const struct site *site, size_t *at, struct seen_shard *out)
{
    const struct world *w = world_of(site);
    size_t i = 0;
    if (w == NULL)
        return false;
    LIST_EACH (&w->shard_list, it) {
        if (i++ == *at) {
            *out = seen(CONTAINER_OF(it, struct shard, node));
            ++*at;
            return true;
        }
    }
    return false;
}

bool site_knows(const struct site *site, struct span node, struct span room, struct span session)
{
    const struct room *r = world_room(world_of(site), room);
    return r != NULL && crowd_knows(r, node, session);
}

bool site_node(const struct site *site, struct span id, struct seen_node *out)
{
    const struct node *n = world_node(world_of(site), id);
    if (n == NULL)
        return false;
    *out = (struct seen_node){
        .epoch = n->epoch, .version = n->version_of_orders, .is_alive = n->state == NODE_ALIVE};
    return true;
}

size_t site_nodes(const struct site *site)
{
    return site->core == NULL ? 0 : site->core->registry.node_count;
}

void site_check(const struct site *site)
{
    const struct world *w = world_of(site);
    if (w == NULL)
        return;
    LIST_EACH (&w->shard_list, it) {
        const struct shard *s = CONTAINER_OF(it, struct shard, node);
        assert(world_room(w, s->room->name) == s->room);
        assert(s->reserved_there == (s->owner == NULL ? 0 : s->reserved));
        seats_check(s);
    }
    LIST_EACH (&w->room_list, it) {
        const struct room *room = CONTAINER_OF(it, struct room, node);
        registry_check(&site->core->registry, room, NULL);
        crowd_check(room);
    }
    LIST_EACH (&w->nodes.list, it)
        node_check_sums(CONTAINER_OF(it, struct node, in_world));
}
