/* The pace: how many go now, and when the next. */
#include "shard/core/drain.h"

#include "shard/core/node_state.h"
#include "shard/core/parting.h"
#include "shard/core/shard.h"

enum {
    SAME_MS = 500, /* an order that is repeated may differ by so much: it says how long is left */
    RATE_MAX = 1000000,
};
/* `count` sockets in `ms`. */
struct pace {
    uint64_t count;
    int64_t ms;
};

static uint64_t drain_left(const struct drain *d)
{
    if (d->shard != NULL)
        return d->shard->client_count - d->shard->parting;
    return d->node->stats.clients - d->node->parting;
}

/* What is due now, and when the next is. */
static struct pace pace_step(struct pace mean)
{
    uint64_t ms = (uint64_t)mean.ms, count = mean.count * DRAIN_STEP_MS / ms;
    if (count == 0)
        count = 1;
    return (struct pace){.count = count, .ms = (int64_t)(ms * count / mean.count)};
}

static struct pace drain_pace(const struct drain *d, uint64_t left, int64_t now)
{
    if (now >= d->last_ms)
        return (struct pace){.count = left, .ms = DRAIN_STEP_MS};
    uint64_t rest = (uint64_t)(d->last_ms - now);
    bool too_slow = d->rate > 0 && left * 1000 > d->rate * rest;
    /* A little less than twice the mean, because it is looked at in steps. */
    bool has_time = left * (uint64_t)d->begun_for * 4 < 7 * d->begun_with * rest;
    if (too_slow && has_time)
        return pace_step((struct pace){.count = d->rate, .ms = 1000});
    return pace_step((struct pace){.count = left, .ms = (int64_t)rest});
}

static bool has_staying(const struct shard *shard)
{
    return shard->client_count > shard->parting;
}

/* The next shard of the node, round about, that has somebody left; NULL: none has. */
static struct shard *node_next_shard(struct drain *d)
{
    struct node *n = d->node;
    struct shard *from = slots_get(&n->shard_slots, d->next);
    struct list *it = from != NULL ? &from->in_node : n->shards.next;
    for (uint64_t i = 0; i <= n->stats.shards; i++, it = it->next) {
        if (it == &n->shards)
            it = it->next;
        struct shard *shard = CONTAINER_OF(it, struct shard, in_node);
        if (!has_staying(shard))
            continue;
        struct list *after = it->next == &n->shards ? n->shards.next : it->next;
        d->next = CONTAINER_OF(after, struct shard, in_node)->self;
        return shard;
    }
    return NULL;
}

static struct shard *drain_next_shard(struct drain *d)
{
    if (d->shard == NULL)
        return list_empty(&d->node->shards) ? NULL : node_next_shard(d);
    return has_staying(d->shard) ? d->shard : NULL;
}

static void drain_part(struct drain *d, uint64_t count, int64_t now)
{
    const struct parting_how how = {
        .until_ms = d->until_ms, .retry_min_ms = d->retry_min_ms, .retry_max_ms = d->retry_max_ms};
    struct list gathered;
    list_init(&gathered);
    for (struct shard *shard; count > 0 && (shard = drain_next_shard(d)) != NULL;) {
        uint64_t sockets = parting_gather(&gathered, shard, &how);
        count -= sockets < count ? sockets : count;
    }
    parting_begin(&gathered, now);
}

static void drain_on_step(struct timer *t, int64_t now)
{
    struct drain *d = CONTAINER_OF(t, struct drain, step);
    uint64_t left = drain_left(d);
    if (left == 0)
        return;
    struct pace due = drain_pace(d, left, now);
    drain_part(d, due.count, now);
    if (drain_left(d) > 0)
        wheel_set(&d->node->wheel, t, now + due.ms);
}

void drain_init(struct drain *d, struct node *n, struct shard *shard)
{
    *d = (struct drain){.node = n, .shard = shard, .step.fire = drain_on_step};
}

static int64_t order_until(const struct order_drain *how, int64_t now)
{
    int64_t ms = how->deadline_ms;
    return ms <= 0 ? 0 : now + (ms < DRAIN_DEADLINE_MAX_MS ? ms : DRAIN_DEADLINE_MAX_MS);
}

static bool is_same(const struct drain *d, int64_t until_ms, uint64_t rate)
{
    if (!d->on || d->rate != rate || (d->until_ms == 0) != (until_ms == 0))
        return false;
    int64_t later = until_ms - d->until_ms;
    return later <= SAME_MS && later >= -SAME_MS;
}

void drain_start(struct drain *d, const struct order_drain *how, int64_t now)
{
    int64_t until_ms = order_until(how, now);
    uint64_t rate = how->rate < RATE_MAX ? how->rate : RATE_MAX;
    d->retry_min_ms = how->retry_max_ms > 0 ? how->retry_min_ms : DRAIN_RETRY_MIN_MS;
    d->retry_max_ms = how->retry_max_ms > 0 ? how->retry_max_ms : DRAIN_RETRY_MAX_MS;
    if (is_same(d, until_ms, rate))
        return;
    drain_stop(d);
    d->on = true;
    d->rate = rate;
    d->until_ms = until_ms;
    if (until_ms == 0)
        return;
    /* Parting takes its time, too. */
    int64_t whole = until_ms - now;
    d->last_ms = until_ms - (whole / 4 < PARTING_MAX_MS ? whole / 4 : PARTING_MAX_MS);
    d->begun_with = drain_left(d);
    d->begun_for = whole;
    wheel_set(&d->node->wheel, &d->step, now);
}

void drain_stop(struct drain *d)
{
    d->on = false;
    wheel_cancel(&d->node->wheel, &d->step);
}

uint64_t drain_share(uint64_t count, int64_t ms, int64_t *next_ms)
{
    struct pace due = pace_step((struct pace){.count = count, .ms = ms});

    *next_ms = due.ms;
    return due.count;
}

void drain_note(struct drain *d, int64_t now)
{
    if (d->on && d->until_ms != 0 && !timer_is_set(&d->step))
        wheel_set(&d->node->wheel, &d->step, now < d->last_ms ? d->last_ms : now + DRAIN_STEP_MS);
}
