/* When a world is told something, and what its answers mean. A world is first taken for one that
 * knows beats; one that answers 404 gets reports, and is tried again from time to time. */
#include "shard/core/world.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "shard/core/follow.h"
#include "shard/core/node_state.h"
#include "shard/core/shard.h"

enum { LOOK_MS = 1000 }; /* between two looks for idle shards */
enum {
    STATUS_OK = 200,
    STATUS_UNAUTHORIZED = 401,
    STATUS_FORBIDDEN = 403,
    STATUS_NOT_FOUND = 404,
    STATUS_CONFLICT = 409,
};

static bool knows_only_reports(const struct node *n)
{
    return n->settings->protocol == NODE_PROTOCOL_REFERENCE;
}

static uint64_t *mode_gauge(struct world *w)
{
    struct node_stats *stats = &w->node->stats;
    switch (w->mode) {
    case WORLD_UNHEARD:
        return &stats->worlds_unheard;
    case WORLD_BEATS:
        return &stats->worlds_beats;
    case WORLD_REFERENCE:
        return &stats->worlds_reference;
    }
    return NULL;
}

static void world_go(struct world *w, enum world_mode mode, int64_t now)
{
    if (w->mode == mode)
        return;
    log_info("world.mode", "world=%.*s speaks=%s", SPAN_ARG(w->id),
             mode == WORLD_BEATS ? "beats" : "reports");
    --*mode_gauge(w);
    w->mode = mode;
    ++*mode_gauge(w);
    LIST_EACH (&w->shards, it) {
        struct report *r = &CONTAINER_OF(it, struct shard, in_world)->report;
        if (mode == WORLD_REFERENCE)
            report_start(r, now);
        else
            report_stop(r);
    }
}

static void world_end(struct world *w)
{
    struct node *n = w->node;
    log_debug("world.forgotten", "world=%.*s", SPAN_ARG(w->id));
    --*mode_gauge(w);
    wheel_cancel(&n->wheel, &w->timer);
    slots_remove(&n->world_slots, w->self);
    map_remove(&n->world_map, w->id);
    list_remove(&w->in_node);
    world_free(w);
}

static bool is_forgettable(const struct world *w, int64_t now)
{
    return !w->configured && list_empty(&w->shards) && !w->under_way &&
           now - w->empty_since_ms >= WORLD_FORGET_MS;
}

/* ---- when */

static int64_t interval_ms(const struct world *w)
{
    if (w->mode == WORLD_REFERENCE)
        return WORLD_REFERENCE_MS;
    int64_t ms = w->interval_ms > 0 ? w->interval_ms : w->node->settings->beat_ms;
    return ms < WORLD_INTERVAL_MIN_MS ? WORLD_INTERVAL_MIN_MS : ms;
}

/* Nodes that start together do not beat together. */
static int64_t jittered(struct node *n, int64_t ms)
{
    return ms - ms / 10 + (int64_t)rng_below(&n->rng, (uint64_t)(ms / 5) + 1);
}

static bool tells_changes(const struct world *w)
{
    return w->mode != WORLD_REFERENCE && !w->failing;
}

static void world_schedule(struct world *w, bool news)
{
    int64_t soon = w->last_ms + WORLD_COALESCE_MS;
    if (w->under_way || w->gone || knows_only_reports(w->node))
        return;
    wheel_set(&w->node->wheel, &w->timer, news && soon < w->due_ms ? soon : w->due_ms);
}

/* ---- beats */

/* Good until the next beat; empty: the world has them. */
static struct span findings_to_tell(struct world *w)
{
    struct node *n = w->node;
    bool all = w->news.full || w->wants_gone;
    w->findings_told = n->checks.findings.version;
    if (!all && w->findings_told == w->findings_known)
        return (struct span){0};
    buf_reset(&n->findings);
    findings_write(&n->checks.findings, &n->findings);
    return buf_span(&n->findings);
}

static void world_beat(struct world *w, int64_t now)
{
    struct node *n = w->node;
    const struct node_settings *s = n->settings;
    bool known = w->orders_version > 0;
    const struct beat beat = {
        .node_id = span_str(s->id),
        .epoch = n->epoch,
        .url = span_str(s->url),
        .internal_url = span_str(s->internal_url),
        .version = span_str(s->version),
        .max_connections = s->max_connections,
        .connections = n->stats.clients + n->stats.visitors,
        .draining = node_is_draining(n),
        .gone = w->wants_gone,
        .lag_ms = w->lag_ms,
        .now_ms = checks_wall_ms(&n->checks),
        .checkup = w->checkup,
        .findings = findings_to_tell(w),
        .seq = ++w->seq,
        .full = w->news.full || w->wants_gone,
        .have_epoch = known ? w->epoch : 0,
        .have_version = w->orders_version,
    };
    buf_reset(&n->beat);
    beat_open(&n->beat, &beat);
    if (!w->wants_gone)
        news_tell(&w->news, w, &n->beat);
    beat_close(&n->beat);
    w->under_way = true;
    w->knocked = false;
    w->last_ms = now;
    w->says_gone = w->wants_gone;
    n->stats.beats++;
    n->port->beat(n->io, w->self, w->id, buf_span(&n->beat));
}

static void world_on_time(struct timer *t, int64_t now)
{
    struct world *w = CONTAINER_OF(t, struct world, timer);
    w->lag_ms = t->due_ms == w->due_ms ? now - w->due_ms : w->lag_ms;
    if (is_forgettable(w, now))
        world_end(w);
    else if (now >= w->due_ms || w->knocked || w->wants_gone || news_are_there(&w->news))
        world_beat(w, now);
    else
        world_schedule(w, false);
}

/* ---- answers */

/* Shards that no order keeps end some time after their last client. */
static void end_idle_shards(struct world *w, int64_t now)
{
    if (w->mode == WORLD_REFERENCE || now < w->look_ms)
        return;
    w->look_ms = now + LOOK_MS;
    LIST_EACH_SAFE (&w->shards, it, tmp) {
        struct shard *shard = CONTAINER_OF(it, struct shard, in_world);
        if (!shard->owned && shard_is_idle(shard, now))
            shard_end(shard, now);
    }
}

/* Whoever answers the first beat with something else than orders took it for something else. */
static bool take_orders(struct world *w, struct span body, int64_t now)
{
    struct orders orders;
    json_t *doc;
    bool followed = orders_read(&orders, &doc, body) == ERR_OK;
    if (!followed && w->mode == WORLD_UNHEARD)
        world_go(w, WORLD_REFERENCE, now);
    else if (!followed)
        log_warn("orders.invalid", "world=%.*s", SPAN_ARG(w->id));
    if (followed) {
        world_go(w, WORLD_BEATS, now);
        followed = follow_orders(w, &orders, doc, now);
    }
    json_decref(doc);
    return followed;
}

static void rise_above(struct node *n, int64_t epoch)
{
    n->epoch = epoch + 1;
    LIST_EACH (&n->worlds, it)
        CONTAINER_OF(it, struct world, in_node)->news.full = true;
    LIST_EACH (&n->shards, it) {
        struct shard *shard = CONTAINER_OF(it, struct shard, in_node);
        shard->seating.admitted = shard->client_count; /* counts are of an epoch */
        shard->seating.readmitted = 0;
    }
}

/* The beat came twice: the other one is this process. */
static bool is_ours(const struct node *n, const struct orders_conflict *c)
{
    return c->epoch == n->epoch && (span_eq(c->url, span_str(n->settings->internal_url)) ||
                                    span_eq(c->url, span_str(n->settings->url)));
}

/* The process of that beat lives, as far as its world can know. */
static bool is_alive(const struct orders_conflict *c)
{
    int64_t beats_ms =
        c->interval_ms < WORLD_INTERVAL_MAX_MS ? c->interval_ms : WORLD_INTERVAL_MAX_MS;
    beats_ms *= WORLD_CONFLICT_BEATS;
    return c->age_ms <= (beats_ms > WORLD_CONFLICT_MS ? beats_ms : WORLD_CONFLICT_MS);
}

/* Another process has, or had, the id of this one. */
static void take_conflict(struct world *w, struct span body)
{
    struct node *n = w->node;
    struct orders_conflict c;
    json_t *doc;
    bool read = orders_conflict_read(&c, &doc, body) == ERR_OK;
    if (!read || c.epoch < n->epoch || is_ours(n, &c)) {
        log_warn("beat.refused", "world=%.*s status=%d", SPAN_ARG(w->id), STATUS_CONFLICT);
    } else if (!is_alive(&c)) {
        log_warn("node.rise", "world=%.*s id=%s earlier=%.*s", SPAN_ARG(w->id), n->settings->id,
                 SPAN_ARG(c.url));
        rise_above(n, c.epoch);
        w->failing = false;
    } else {
        struct buf why = {.len = 0};
        buf_addf(&why, "NODE_ID in use by %.*s", SPAN_ARG(c.url));
        n->port->fatal(n->io, buf_span(&why));
        buf_clear(&why);
    }
    n->stats.beat_conflicts++;
    json_decref(doc);
}

/* Logs the first of several. */
static void note_failure(struct world *w, int status, struct span body)
{
    struct span told = body;
    if (status == STATUS_OK) /* orders that are none are told of elsewhere */
        told.len = 0;
    w->node->stats.beat_failures++;
    if (!w->failing && status == 0)
        log_warn("beat.failed", "world=%.*s why=%.*s", SPAN_ARG(w->id), SPAN_ARG(told));
    else if (!w->failing)
        log_warn("beat.failed", "world=%.*s status=%d answer=%.*s", SPAN_ARG(w->id), status,
                 SPAN_ARG(told));
    w->failing = true;
}

/* A world without our secret cannot tell who we are either. */
static void note_refusal(struct world *w, int status, int64_t now)
{
    struct checks *checks = &w->node->checks;
    struct buf detail = {0};
    bool refused = status == STATUS_UNAUTHORIZED || status == STATUS_FORBIDDEN;
    buf_addf(&detail, "answers heartbeats with %d", status);
    if (refused)
        checks_seen(checks, FINDING_BEAT_REFUSED, w->id, buf_span(&detail), now);
    else if (status != 0)
        checks_disproved(checks, FINDING_BEAT_REFUSED, w->id);
    buf_clear(&detail);
}

void world_answered(struct world *w, int status, struct span body, int64_t now)
{
    w->under_way = false;
    note_refusal(w, status, now);
    bool confirmed = status == STATUS_OK && take_orders(w, body, now);
    if (confirmed) {
        news_confirm(&w->news);
        w->findings_known = w->findings_told;
        w->failing = false;
        w->gone = w->says_gone;
    } else {
        news_repeat(&w->news);
        note_failure(w, status, body);
    }
    if (status == STATUS_NOT_FOUND) {
        w->news.full = true;
        world_go(w, WORLD_REFERENCE, now);
    } else if (status == STATUS_CONFLICT) {
        take_conflict(w, body);
    }
    w->due_ms = w->last_ms + jittered(w->node, interval_ms(w));
    w->due_ms = w->due_ms > now ? w->due_ms : now;
    end_idle_shards(w, now);
    world_schedule(w,
                   w->knocked || (tells_changes(w) && (w->wants_gone || news_are_there(&w->news))));
}

/* ---- life */

struct world *world_reach(struct node *n, struct span id, int64_t now)
{
    struct world *w = map_get(&n->world_map, id);
    if (w != NULL)
        return w;
    if (n->world_map.count == WORLD_MAX)
        return NULL;
    w = xmalloc(sizeof *w + id.len);
    *w = (struct world){
        .node = n,
        .mode = knows_only_reports(n) ? WORLD_REFERENCE : WORLD_UNHEARD,
        .timer.fire = world_on_time,
        .last_ms = now - WORLD_COALESCE_MS,
        .due_ms = now,
        .empty_since_ms = now,
    };
    if (id.len > 0)
        memcpy(w->text, id.ptr, id.len);
    w->id = span_of(w->text, id.len);
    list_init(&w->shards);
    news_init(&w->news);
    w->self = slots_add(&n->world_slots, w);
    map_add(&n->world_map, w->id, w);
    list_push(&n->worlds, &w->in_node);
    ++*mode_gauge(w);
    world_schedule(w, true);
    return w;
}

void world_configure(struct node *n, int64_t now)
{
    struct span rest = span_str(n->settings->world_ids), part;
    if (knows_only_reports(n))
        return;
    while (rest.len > 0 && span_split(&rest, ',', &part)) {
        struct world *w = world_reach(n, span_trim(part), now);
        if (w != NULL)
            w->configured = true;
    }
}

void world_add_shard(struct world *w, struct shard *shard, int64_t now)
{
    shard->world = w;
    list_push(&w->shards, &shard->in_world);
    if (w->mode == WORLD_REFERENCE)
        report_start(&shard->report, now);
    world_note(shard);
}

void world_remove_shard(struct world *w, struct shard *shard, int64_t now)
{
    list_remove(&shard->in_world);
    report_stop(&shard->report);
    news_note_end(&w->news, shard);
    w->empty_since_ms = now;
    if (list_empty(&w->shards) && knows_only_reports(w->node))
        world_end(w);
}

void world_shard_changed(struct shard *shard)
{
    report_changed(&shard->report);
    world_note(shard);
}

void world_note(struct shard *shard)
{
    struct world *w = shard->world;
    if (knows_only_reports(w->node))
        return;
    news_note(&w->news, shard);
    if (tells_changes(w))
        world_schedule(w, true);
}

void world_say_gone(struct world *w)
{
    w->wants_gone = true;
    if (w->mode == WORLD_BEATS)
        world_schedule(w, true);
}

void world_knock(struct world *w)
{
    w->knocked = true;
    world_schedule(w, true);
}

void world_note_node(struct node *n)
{
    LIST_EACH (&n->worlds, it) {
        struct world *w = CONTAINER_OF(it, struct world, in_node);
        w->news.node = true;
        if (tells_changes(w))
            world_schedule(w, true);
    }
}

void world_check(const struct world *w)
{
    LIST_EACH (&w->shards, it) {
        const struct shard *shard = CONTAINER_OF(it, struct shard, in_world);
        assert(shard->world == w && shard->report.on == (w->mode == WORLD_REFERENCE));
        assert(!list_linked(&shard->tidings.in_told) || w->under_way);
    }
    assert(knows_only_reports(w->node) || w->gone || w->under_way != timer_is_set(&w->timer));
}

void world_free(struct world *w)
{
    news_clear(&w->news);
    free(w);
}
