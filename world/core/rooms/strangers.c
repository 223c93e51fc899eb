/* The limits of what strangers make, and the counts that they are about. */
#include "world/core/rooms/strangers.h"

#include <assert.h>

#include "world/core/rooms/registry.h"

static const struct rate_limit worlds_limit = {
    .per_s = STRANGERS_WORLDS_PER_S,
    .burst = STRANGERS_BURST_S * STRANGERS_WORLDS_PER_S,
};

/* One more world: it is counted here, and its own rate is as yet unused. */
static enum refusal ask_world(struct strangers *all, const struct strangers_settings *settings,
                              bool local, int64_t now_ms, int64_t *retry_ms)
{
    if (all->worlds >= settings->worlds) {
        *retry_ms = STRANGERS_FULL_MS;
        return REFUSAL_WORLDS_MAX;
    }
    if (!local && !rate_take(&all->worlds_rate, &worlds_limit, 1, now_ms)) {
        *retry_ms = rate_wait_ms(&all->worlds_rate, &worlds_limit, 1, now_ms);
        return REFUSAL_WORLDS_RATE;
    }
    all->worlds++;
    return REFUSAL_NONE;
}

enum refusal strangers_ask(struct strangers *all, const struct strangers_settings *settings,
                           const struct strangers_wish *wish, int64_t now_ms, int64_t *retry_ms)
{
    struct rate_limit limit = {.per_s = settings->per_s,
                               .burst = STRANGERS_BURST_S * settings->per_s};
    uint64_t count = wish->world == NULL ? 0 : wish->world->strangers.count;
    struct rate *rate;

    if (count + (uint64_t)wish->count * wish->weight > settings->max) {
        *retry_ms = STRANGERS_FULL_MS;
        return REFUSAL_CREATE_MAX;
    }
    if (wish->world == NULL)
        return ask_world(all, settings, wish->local, now_ms, retry_ms);
    rate = &wish->world->strangers.rate;
    if (!wish->local && !rate_take(rate, &limit, wish->count, now_ms)) {
        *retry_ms = rate_wait_ms(rate, &limit, wish->count, now_ms);
        return REFUSAL_CREATE_RATE;
    }
    return REFUSAL_NONE;
}

void strangers_made(struct world *w, bool *by_stranger, struct span name)
{
    assert(!*by_stranger);
    w->strangers.count += strangers_weight(name);
    *by_stranger = true;
}

void strangers_removed(struct world *w, bool by_stranger, struct span name)
{
    if (!by_stranger)
        return;
    assert(w->strangers.count >= strangers_weight(name));
    w->strangers.count -= strangers_weight(name);
}
