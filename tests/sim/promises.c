/* Looks at the world's answers at the moment when they are made. */
#include "tests/sim/promises.h"

#include "common/base/json.h"
#include "common/proto/resolve.h"
#include "tests/sim/site.h"

static void check_promise(struct sim *s, struct span id, const char *by)
{
    struct seen_shard seen;
    if (!site_shard(s->site, id, &seen)) {
        sim_fail(s, "%s names a shard that the world does not have: %.*s", by, SPAN_ARG(id));
        return;
    }
    if (seen.open + seen.reserved + seen.returning > seen.max)
        sim_fail(s, "%s promises more than %llu seats of %.*s: open %llu reserved %llu kept %llu",
                 by, (unsigned long long)seen.max, SPAN_ARG(id), (unsigned long long)seen.open,
                 (unsigned long long)seen.reserved, (unsigned long long)seen.returning);
    if (!seen.is_active)
        sim_fail(s, "%s promises a seat of %.*s, which is not active", by, SPAN_ARG(id));
    if (seen.owner_is_silent || seen.owner_is_drained)
        sim_fail(s, "%s sends a client to %.*s, whose owner %.*s is %s", by, SPAN_ARG(id),
                 SPAN_ARG(seen.owner), seen.owner_is_silent ? "silent" : "draining");
}

static void check_connected(struct sim *s, struct span body)
{
    json_t *doc = json_decode(body);
    struct span id;
    if (json_get_span(doc, "shardId", &id))
        check_promise(s, id, "/connect");
    else
        sim_fail(s, "/connect names no shard");
    json_decref(doc);
}

static void check_resolved(struct sim *s, struct span request, struct span body)
{
    json_t *asked = json_decode(request), *doc = NULL;
    const json_t *bans;
    struct span id = {.len = 0};
    struct resolved r;
    struct seen_shard seen;
    (void)json_get_span(asked, "shardId", &id);
    if (resolved_read(&r, &doc, &bans, body) != ERR_OK)
        sim_fail(s, "an answer to /resolve cannot be read");
    else if (!span_eq(id, r.order.shard_id))
        check_promise(s, r.order.shard_id, "/resolve");
    else if (site_shard(s->site, id, &seen) && seen.owner_is_silent)
        sim_fail(s, "/resolve sends a client to %.*s, whose owner %.*s is silent", SPAN_ARG(id),
                 SPAN_ARG(seen.owner));
    json_decref(doc);
    json_decref(asked);
}

void promises_check(struct sim *s, enum net_kind kind, struct span request, int status,
                    struct span body)
{
    if (status != 200)
        return;
    if (kind == NET_CONNECT)
        check_connected(s, body);
    else if (kind == NET_RESOLVE)
        check_resolved(s, request, body);
}
