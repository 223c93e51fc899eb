/* The state of a checkup is whom it waits for, and that is in the nodes: nothing to keep in step.
 */
#include "world/core/findings/round.h"

#include "common/base/log.h"
#include "world/core/nodes/nodes.h"

static void render_peers(const struct world *w, struct buf *out)
{
    bool first = true;

    LIST_EACH (&w->nodes.list, it) {
        const struct node *n = CONTAINER_OF(it, struct node, in_world);
        if (n->state == NODE_DEAD || node_address(n).len == 0)
            continue;
        checkup_add_peer(out, n->id, node_address(n), first);
        first = false;
    }
}

static void render_servers(const struct world *w, struct buf *out)
{
    bool first = true;

    LIST_EACH (&w->servers, it) {
        const struct world_server *at = CONTAINER_OF(it, struct world_server, in_world);
        checkup_add_server(out, at->server->origin, first);
        first = false;
    }
}

void round_begin(struct world *w, struct moment now)
{
    struct round *r = &w->round;

    if (r->is_under_way)
        return;
    r->id = now.wall_ms > r->id ? now.wall_ms : r->id + 1;
    r->is_under_way = true;
    r->began_ms = now.mono_ms;
    r->started_ms = now.wall_ms;
    buf_reset(&r->text);
    checkup_open(&r->text, r->id);
    render_peers(w, &r->text);
    checkup_open_servers(&r->text);
    render_servers(w, &r->text);
    checkup_close(&r->text);
    log_info("checkup.begin", "world=%.*s id=%lld", SPAN_ARG(w->id), (long long)r->id);
}

struct checkup round_orders(const struct node *n)
{
    const struct round *r = &n->world->round;

    if (!r->is_under_way || n->checkup >= r->id)
        return (struct checkup){.id = 0};
    return (struct checkup){.id = r->id, .text = buf_span(&r->text)};
}

bool round_waits_for(const struct node *n, struct moment now)
{
    const struct round *r = &n->world->round;

    return r->is_under_way && n->checkup < r->id && n->tells_findings &&
           (n->state == NODE_ALIVE || n->state == NODE_SUSPECT) &&
           now.mono_ms - n->heard_ms < ROUND_SILENT_MS;
}

static size_t count_awaited(const struct world *w, struct moment now)
{
    size_t count = 0;

    LIST_EACH (&w->nodes.list, it)
        count += round_waits_for(CONTAINER_OF(it, struct node, in_world), now);
    return count;
}

void round_look(struct world *w, struct moment now)
{
    struct round *r = &w->round;
    size_t awaited;

    if (!r->is_under_way)
        return;
    awaited = count_awaited(w, now);
    if (awaited > 0 && now.mono_ms - r->began_ms < ROUND_MOST_MS)
        return;
    r->is_under_way = false;
    log_info("checkup.end", "world=%.*s id=%lld ms=%lld awaited=%zu", SPAN_ARG(w->id),
             (long long)r->id, (long long)(now.mono_ms - r->began_ms), awaited);
}

void round_clear(struct round *r)
{
    buf_clear(&r->text);
    *r = (struct round){.id = 0};
}
