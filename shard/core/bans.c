/* The bans of one shard. They are few: an operator set them one by one. */
#include "shard/core/bans.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/proto/orders.h"
#include "shard/core/node_state.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

/* A year is for ever, for a process; and the sum with any `now` is a time. */
static const int64_t ban_max_ms = INT64_C(365) * 24 * 3600 * 1000;

struct ban {
    int64_t until_ms;
    size_t len;
    char session[];
};

static void set_timer(struct bans *b)
{
    int64_t first = INT64_MAX;
    size_t at = 0;
    for (const struct map_entry *e; (e = map_next(&b->all, &at)) != NULL;) {
        const struct ban *ban = e->value;
        first = ban->until_ms < first ? ban->until_ms : first;
    }
    if (first != INT64_MAX)
        wheel_set(&b->shard->node->wheel, &b->timer, first);
}

/* One that is over, or NULL. */
static struct ban *next_over(const struct bans *b, int64_t now)
{
    size_t at = 0;
    for (const struct map_entry *e; (e = map_next(&b->all, &at)) != NULL;) {
        struct ban *ban = e->value;
        if (ban->until_ms <= now)
            return ban;
    }
    return NULL;
}

static void on_timer(struct timer *t, int64_t now)
{
    struct bans *b = CONTAINER_OF(t, struct bans, timer);
    for (struct ban *ban; (ban = next_over(b, now)) != NULL;) {
        (void)map_remove(&b->all, span_of(ban->session, ban->len));
        free(ban);
    }
    set_timer(b);
}

void bans_init(struct bans *b, struct shard *shard)
{
    *b = (struct bans){.shard = shard, .timer.fire = on_timer};
}

static void kick(struct shard *shard, struct span session, int64_t now)
{
    seating_release(&shard->seating, session);
    if (session_sockets(shard, session) == 0)
        return;
    log_info("session.kick", "shard=%.*s session=%.*s", SPAN_ARG(shard->id), SPAN_ARG(session));
    session_close_all(shard, session, NODE_KICKED, now);
    world_shard_changed(shard);
}

static void add(struct bans *b, const struct order_ban *o, int64_t now)
{
    int64_t until_ms = now + (o->ttl_ms < ban_max_ms ? o->ttl_ms : ban_max_ms);
    struct ban *ban = map_get(&b->all, o->session);
    if (ban != NULL) {
        ban->until_ms = until_ms > ban->until_ms ? until_ms : ban->until_ms;
        return;
    }
    ban = xmalloc(sizeof *ban + o->session.len);
    *ban = (struct ban){.until_ms = until_ms, .len = o->session.len};
    memcpy(ban->session, o->session.ptr, o->session.len);
    map_add(&b->all, span_of(ban->session, ban->len), ban);
    kick(b->shard, o->session, now);
}

void bans_set(struct shard *shard, const json_t *list, int64_t now)
{
    struct order_ban o;
    bans_clear(&shard->bans);
    for (size_t at = 0; order_next_ban(list, &at, &o);) {
        if (o.session.len > 0 && o.ttl_ms > 0)
            add(&shard->bans, &o, now);
    }
    set_timer(&shard->bans);
    shard_changed(shard);
}

bool bans_has(const struct bans *b, struct span session)
{
    return session.len > 0 && map_get(&b->all, session) != NULL;
}

void bans_clear(struct bans *b)
{
    size_t at = 0;
    for (const struct map_entry *e; (e = map_next(&b->all, &at)) != NULL;)
        free(e->value);
    map_clear(&b->all);
    wheel_cancel(&b->shard->node->wheel, &b->timer);
}
