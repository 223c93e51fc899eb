/* Who may hear a world's feed, and whose socket that is. What they are told is feed's. */
#include "world/core/admins.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/proto/shard_id.h"
#include "world/core/api/world_path.h"

struct admin {
    struct world *world; /* it is not forgotten while it has admins */
    struct handle socket;
};

bool core_feed_wants(struct core *core, struct span path)
{
    struct world_path at;

    return world_path_parse(path, &core->path, &at) == ERR_OK;
}

static enum feed_verdict refuse_feed(struct core *core, enum refusal why, enum feed_verdict verdict)
{
    core->stats.refusals[why]++;
    log_debug("feed.refused", "reason=%s", refusal_name(why));
    return verdict;
}

/* FEED_ADMIN if its world is ours; else *why says why not. */
static enum feed_verdict judge_feed(struct core *core, const struct feed_request *request,
                                    struct world_path *at, enum refusal *why)
{
    enum token_scope scope;

    *why = REFUSAL_FEED_WORLD_ID;
    if (world_path_parse(request->path, &core->path, at) != ERR_OK || !world_id_is_valid(at->world))
        return FEED_CLOSE;
    *why = REFUSAL_FEED_SHARD;
    if (request->names_shard && !authz_has_secret(&core->authz, &request->credentials))
        return FEED_CLOSE;
    *why = REFUSAL_FEED_DENIED;
    if (request->outside || authz_check(&core->authz, &request->credentials, at->world,
                                        core->now.wall_ms / 1000, &scope) != ERR_OK)
        return FEED_SILENT;
    return FEED_ADMIN;
}

bool core_feed_admits(struct core *core, const struct feed_request *request, struct span *world,
                      struct moment now)
{
    struct world_path at;
    enum refusal why;

    core->now = now;
    if (judge_feed(core, request, &at, &why) != FEED_ADMIN)
        return false;
    *world = at.world;
    return true;
}

enum feed_verdict core_feed_open(struct core *core, const struct feed_request *request,
                                 struct handle *handle, struct moment now)
{
    struct world_path at;
    struct admin *admin;
    char id[FEED_ID_LEN];
    enum refusal why;
    enum feed_verdict verdict;

    core->now = now;
    verdict = judge_feed(core, request, &at, &why);
    if (verdict != FEED_ADMIN)
        return refuse_feed(core, why, verdict);
    if (core->port->owner.find(core->port->owner.ctx, at.world) != OWNER_US)
        return refuse_feed(core, REFUSAL_NOT_OWNER, FEED_CLOSE);
    admin = xcalloc(1, sizeof(*admin));
    *admin = (struct admin){.world = registry_make_world(&core->registry, at.world),
                            .socket = request->socket};
    *handle = slots_add(&core->admins, admin);
    rng_alnum(&core->rng, id, sizeof(id));
    feed_join(&core->feeds, admin->world, admin->socket, id);
    return FEED_ADMIN;
}

void core_feed_close(struct core *core, struct handle handle)
{
    struct admin *admin = slots_remove(&core->admins, handle);

    if (admin == NULL)
        return;
    feed_leave(admin->world, admin->socket);
    free(admin);
}

void admins_drop(struct core *core, const struct world *w)
{
    const struct feed_port *port = &core->port->feed;

    for (uint32_t i = 0; i < core->admins.used; i++) {
        const struct slot *slot = &core->admins.slots[i];
        struct admin *admin = slot->item;
        if (admin == NULL || admin->world != w)
            continue;
        port->close(port->ctx, admin->socket);
        core_feed_close(core, (struct handle){.slot = i, .gen = slot->gen});
    }
}
