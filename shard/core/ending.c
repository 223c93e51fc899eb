/* The order of the steps. Looks from time to time, so that whoever leaves or drops a shard need not
 * know of it. */
#include "shard/core/ending.h"

#include <assert.h>

#include "common/base/log.h"
#include "shard/core/node_state.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

static const uint8_t ending_next[] = {
    [ENDING_NOT] = 1u << ENDING_MOVING,
    [ENDING_MOVING] = 1u << ENDING_CLOSING | 1u << ENDING_EMPTY | 1u << ENDING_NOT,
    [ENDING_CLOSING] = 1u << ENDING_EMPTY | 1u << ENDING_NOT,
    [ENDING_EMPTY] = 1u << ENDING_OVER | 1u << ENDING_NOT | 1u << ENDING_MOVING,
    [ENDING_OVER] = 0,
};

static struct node *ending_node(struct ending *e)
{
    return CONTAINER_OF(e, struct node, ending);
}

static void ending_go(struct ending *e, enum ending_state next)
{
    assert(ending_next[e->state] >> next & 1u);
    e->state = next;
}

/* Other nodes that could take what this one holds, as worlds say. */
static uint64_t ending_others(const struct node *n)
{
    uint64_t most = 0;
    LIST_EACH (&n->worlds, it) {
        uint64_t others = CONTAINER_OF(it, struct world, in_node)->others;
        most = others > most ? others : most;
    }
    return most;
}

static bool is_moved(const struct node *n)
{
    if (ending_others(n) == 0)
        return true;
    LIST_EACH (&n->shards, it) {
        if (CONTAINER_OF(it, struct shard, in_node)->owned)
            return false;
    }
    return true;
}

static void start_closing(struct ending *e, int64_t now)
{
    struct node *n = ending_node(e);
    struct order_drain how = e->how;
    how.deadline_ms = e->until_ms > now ? e->until_ms - now : 1;
    if (how.retry_max_ms == 0 && ending_others(n) == 0) {
        how.retry_min_ms = ENDING_ALONE_RETRY_MIN_MS;
        how.retry_max_ms = ENDING_ALONE_RETRY_MAX_MS;
    }
    drain_start(&n->drain, &how, now);
    log_info("node.closing", "clients=%llu ms=%lld", (unsigned long long)n->stats.clients,
             (long long)how.deadline_ms);
}

static int64_t move_limit_ms(const struct ending *e)
{
    int64_t half = (e->until_ms - e->since_ms) / 2;
    return e->since_ms + (half < ENDING_MOVE_MS ? half : ENDING_MOVE_MS);
}

/* Goes as far as it can now. */
static void ending_advance(struct ending *e, int64_t now)
{
    struct node *n = ending_node(e);
    bool empty = n->stats.clients == 0;
    if (e->state == ENDING_MOVING && !empty && (is_moved(n) || now >= move_limit_ms(e))) {
        ending_go(e, ENDING_CLOSING);
        start_closing(e, now);
    }
    bool late = e->for_good && now >= e->until_ms;
    if ((e->state == ENDING_MOVING || e->state == ENDING_CLOSING) && (empty || late)) {
        log_info("node.empty", "clients=%llu", (unsigned long long)n->stats.clients);
        ending_go(e, ENDING_EMPTY);
    }
    if (e->state == ENDING_EMPTY && e->for_good) {
        ending_go(e, ENDING_OVER);
        drain_stop(&n->drain);
        node_shutdown(n, now);
    }
}

static void ending_on_look(struct timer *t, int64_t now)
{
    struct ending *e = CONTAINER_OF(t, struct ending, look);
    ending_advance(e, now);
    if (e->state == ENDING_MOVING || e->state == ENDING_CLOSING)
        wheel_set(&ending_node(e)->wheel, t, now + ENDING_LOOK_MS);
}

void ending_init(struct ending *e)
{
    *e = (struct ending){.look.fire = ending_on_look};
}

static void ending_set(struct ending *e, const struct order_drain *how, int64_t now)
{
    struct node *n = ending_node(e);
    int64_t ms = how->deadline_ms > 0 ? how->deadline_ms : n->settings->drain_ms;
    e->how = *how;
    e->since_ms = now;
    e->until_ms = now + (ms < DRAIN_DEADLINE_MAX_MS ? ms : DRAIN_DEADLINE_MAX_MS);
}

static void ending_begin(struct ending *e, const struct order_drain *how, int64_t now)
{
    struct node *n = ending_node(e);
    log_info("node.drain", "clients=%llu shards=%llu for_good=%d",
             (unsigned long long)n->stats.clients, (unsigned long long)n->stats.shards,
             e->for_good);
    ending_set(e, how, now);
    ending_go(e, ENDING_MOVING);
    world_note_node(n);
    wheel_set(&n->wheel, &e->look, now);
}

void ending_start(struct node *n, int64_t now)
{
    static const struct order_drain how;
    struct ending *e = &n->ending;
    if (e->for_good)
        return;
    e->for_good = true;
    if (e->state == ENDING_NOT || e->state == ENDING_EMPTY) {
        ending_begin(e, &how, now);
        return;
    }
    /* An order has begun it already; the process has less time. */
    if (e->until_ms > now + n->settings->drain_ms)
        ending_set(e, &how, now);
    if (e->state == ENDING_CLOSING)
        start_closing(e, now);
}

void ending_order(struct node *n, const struct order_drain *how, int64_t now)
{
    struct ending *e = &n->ending;
    if (e->for_good)
        return;
    if (e->state == ENDING_NOT) {
        ending_begin(e, how, now);
        return;
    }
    /* Which time is meant by none was settled when it began. */
    if (how->deadline_ms > 0)
        e->until_ms = now + (how->deadline_ms < DRAIN_DEADLINE_MAX_MS ? how->deadline_ms
                                                                      : DRAIN_DEADLINE_MAX_MS);
    e->how = *how;
    if (e->state == ENDING_CLOSING)
        start_closing(e, now);
}

uint64_t ending_pass(const struct ending *e, uint64_t left, int64_t now, int64_t *next_ms)
{
    int64_t last_ms = e->until_ms - (e->until_ms - e->since_ms) / 4;

    *next_ms = ENDING_LOOK_MS;
    if (!e->for_good || e->state == ENDING_MOVING || left == 0)
        return 0;
    return now >= last_ms ? left : drain_share(left, last_ms - now, next_ms);
}

void ending_revert(struct node *n)
{
    struct ending *e = &n->ending;
    if (e->for_good || e->state == ENDING_NOT)
        return;
    log_info("node.undrain", "clients=%llu", (unsigned long long)n->stats.clients);
    ending_go(e, ENDING_NOT);
    world_note_node(n);
    wheel_cancel(&n->wheel, &e->look);
    drain_stop(&n->drain);
}
