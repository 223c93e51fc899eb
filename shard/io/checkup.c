/* Makes a probe of each node and server, and starts so many at a time. */
#include "shard/io/checkup.h"

#include "common/base/log.h"
#include "shard/core/checks.h"
#include "shard/io/probe.h"

static void start_next(struct checkups *all)
{
    while (all->under_way_count < CHECKUP_UNDER_WAY && !list_empty(&all->waiting)) {
        struct probe *p = CONTAINER_OF(list_first(&all->waiting), struct probe, node);
        list_remove(&p->node);
        list_push(&all->under_way, &p->node);
        all->under_way_count++;
        p->kind->start(p);
    }
}

static void go_on(struct turn_end *end)
{
    struct checkups *all = CONTAINER_OF(end, struct checkups, next);
    struct ticker *t = all->ticker;
    start_next(all);
    if (!all->running || all->under_way_count > 0)
        return;
    all->running = false;
    log_info("checkup.done", "findings=%zu", node_checks(t->node)->findings.count);
    node_checked(t->node, all->world, ticker_now(t));
    ticker_touch(t);
}

void probe_over(struct probe *p)
{
    struct checkups *all = p->all;
    list_remove(&p->node);
    list_push(&all->closing, &p->node);
    all->under_way_count--;
    loop_at_turn_end(all->ticker->loop, &all->next);
}

void checkups_init(struct checkups *all)
{
    list_init(&all->waiting);
    list_init(&all->under_way);
    list_init(&all->closing);
    all->next.fn = go_on;
}

static void add(struct checkups *all, struct probe *p)
{
    p->all = all;
    list_push(&all->waiting, &p->node);
}

static void add_peers(struct checkups *all, const struct checkup *asked)
{
    struct span id, url;
    for (size_t at = 0; checkup_next_peer(asked, &at, &id, &url);)
        if (!span_eq(id, span_str(all->node->id)))
            add(all, peer_probe_new(id, url));
}

static bool is_own(const struct checkups *all, struct span origin)
{
    struct buf text = {0};
    bool found = false;
    const struct origins *own = &all->rooms->own.origins;
    for (size_t i = 0; i < own->count && !found; i++) {
        buf_reset(&text);
        url_origin_add(&text, &own->list[i]);
        found = span_eq(buf_span(&text), origin);
    }
    buf_clear(&text);
    return found;
}

/* Our own, and those that worlds name. */
static void add_servers(struct checkups *all, const struct checkup *asked)
{
    struct span origin;
    const struct upstreams *own = &all->rooms->own;
    for (size_t i = 0; i < own->origins.count; i++)
        add(all, room_probe_new(&own->list[i]));
    for (size_t at = 0; checkup_next_server(asked, &at, &origin);) {
        const struct upstream *named =
            is_own(all, origin) ? NULL : room_servers_find(all->rooms, origin, SPAN(""));
        if (named != NULL)
            add(all, room_probe_new(named));
    }
}

void checkups_start(struct checkups *all, struct handle world, const struct checkup *asked)
{
    all->world = world;
    all->running = true;
    add_peers(all, asked);
    add_servers(all, asked);
    loop_at_turn_end(all->ticker->loop, &all->next);
}

void checkups_clear(struct checkups *all)
{
    LIST_EACH_SAFE (&all->waiting, it, next)
        probe_cancel(CONTAINER_OF(it, struct probe, node));
    LIST_EACH_SAFE (&all->under_way, it, next)
        probe_cancel(CONTAINER_OF(it, struct probe, node));
    LIST_EACH_SAFE (&all->closing, it, next)
        probe_cancel(CONTAINER_OF(it, struct probe, node));
    all->under_way_count = 0;
    all->running = false;
    loop_not_at_turn_end(&all->next);
}
