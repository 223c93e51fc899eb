/* The reports of one shard. What a report is on the wire is io's affair. */
#include "shard/core/report.h"

#include <assert.h>

#include "shard/core/node_state.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

static void report_send(struct report *r)
{
    struct shard *shard = r->shard;
    struct node *n = shard->node;
    r->under_way = true;
    r->wish = REPORT_NONE;
    r->sent = shard->client_count;
    n->stats.reports++;
    n->port->report(n->io, shard->self, shard->id, shard->world->id, r->sent);
}

static void report_wish(struct report *r, enum report_wish wish)
{
    if (!r->on)
        return;
    if (r->under_way) {
        r->wish = wish > r->wish ? wish : r->wish;
        return;
    }
    if (wish == REPORT_ANYWAY || !r->known || r->sent != r->shard->client_count)
        report_send(r);
}

static void report_on_time(struct timer *t, int64_t now)
{
    struct report *r = CONTAINER_OF(t, struct report, timer);
    struct node *n = r->shard->node;
    /* From the due time, so that the rhythm does not drift; but after a standstill only once. */
    int64_t next = t->due_ms + n->settings->report_ms;
    wheel_set(&n->wheel, t, next > now ? next : now + n->settings->report_ms);
    report_wish(r, REPORT_ANYWAY);
}

void report_init(struct report *r, struct shard *shard)
{
    *r = (struct report){.shard = shard, .timer.fire = report_on_time};
}

void report_start(struct report *r, int64_t now)
{
    struct node *n = r->shard->node;
    if (r->on)
        return;
    r->on = true;
    r->known = false;
    /* The first period is cut short by chance: shards that start together (clients that come back
     * after a restart) do not report together for ever. */
    uint64_t half = (uint64_t)n->settings->report_ms / 2;
    int64_t cut = (int64_t)rng_below(&n->rng, half + 1);
    wheel_set(&n->wheel, &r->timer, now + n->settings->report_ms - cut);
    report_wish(r, REPORT_ANYWAY);
}

void report_stop(struct report *r)
{
    r->on = false;
    r->wish = REPORT_NONE;
    wheel_cancel(&r->shard->node->wheel, &r->timer);
}

void report_changed(struct report *r)
{
    report_wish(r, REPORT_IF_CHANGED);
}

void report_answered(struct report *r, bool confirmed)
{
    assert(r->under_way);
    r->under_way = false;
    r->known = confirmed;
    r->shard->node->stats.report_failures += confirmed ? 0 : 1;
}

void report_catch_up(struct report *r)
{
    if (r->wish != REPORT_NONE)
        report_wish(r, r->wish);
}
