/* The worlds that a token covers, of those that this process decides for. */
#include "common/base/json_out.h"
#include "world/core/feed/overview.h"
#include "world/core/manage/manage_verbs.h"

void manage_list_worlds(struct manage *m)
{
    struct core *core = m->call->core;
    const struct owner_port *owner = &core->port->owner;
    struct json_out o = {.out = &core->text};

    buf_reset(&core->text);
    json_out_open(&o, NULL, '{');
    json_out_open(&o, "items", '[');
    LIST_EACH (&core->registry.world_list, it) {
        const struct world *w = CONTAINER_OF(it, struct world, node);
        if (!token_covers(&m->token, w->id) || owner->find(owner->ctx, w->id) != OWNER_US)
            continue;
        json_out_open(&o, NULL, '{');
        json_out_text(&o, "worldId", w->id);
        json_out_u64(&o, "rooms", w->rooms.count);
        json_out_u64(&o, "shards", w->shards.count);
        json_out_u64(&o, "connections", w->tally.open);
        json_out_u64(&o, "capacity", w->tally.max);
        overview_view_findings(&o, w, &core->pulse);
        json_out_close(&o, '}');
    }
    json_out_close(&o, ']');
    json_out_null(&o, "next");
    json_out_close(&o, '}');
    call_answer(m->call, buf_span(&core->text));
}
