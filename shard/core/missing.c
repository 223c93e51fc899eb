/* Makes ghosts of the missing. What the room hears of ghosts, and when, is replay.c's. */
#include "shard/core/missing.h"

#include "common/base/log.h"
#include "common/proto/orders.h"
#include "common/proto/url.h"
#include "shard/core/client.h"
#include "shard/core/node_state.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

/* With what request they came nobody knows any more. */
static void add_request_info(struct buf *out, struct span shard_id)
{
    BUF_ADD_LIT(out, "{\"headers\":{},\"url\":\"http://localhost/parties/shard/");
    url_encode(out, shard_id);
    BUF_ADD_LIT(out, "\",\"method\":\"GET\"}");
}

static void haunt(struct shard *shard, const json_t *sessions, int64_t now)
{
    struct buf request_info = {.len = 0};
    struct span id;
    size_t count = 0;
    add_request_info(&request_info, shard->id);
    if (shard_linked(shard) == 0)
        shard->idle_since_ms = now; /* the link is to be dialled for them */
    for (size_t at = 0; orders_next_session(sessions, &at, &id); count++) {
        if (id.len <= shard->node->settings->max_session_id)
            session_haunt(shard, id, buf_span(&request_info), now);
    }
    buf_clear(&request_info);
    log_info("sessions.missing", "shard=%.*s count=%zu", SPAN_ARG(shard->id), count);
    shard_changed(shard);
}

/* Links that do not stand tell it when they come up. */
static void tell_room(struct shard *shard)
{
    struct link *l = &shard->link;
    if (!link_stands(l))
        return;
    LIST_EACH (&shard->clients, it) {
        struct client *c = CONTAINER_OF(it, struct client, in_shard);
        if (list_first(&c->session->clients) == &c->in_session)
            link_tell_connected(l, c->session, c);
    }
}

void missing_refute(struct world *w)
{
    log_warn("node.refutes", "world=%.*s", SPAN_ARG(w->id));
    w->news.full = true;
    LIST_EACH (&w->shards, it)
        tell_room(CONTAINER_OF(it, struct shard, in_world));
}

void missing_follow(struct world *w, const json_t *orders, int64_t now)
{
    struct span id;
    const json_t *sessions;
    if (w->node->closing)
        return;
    for (size_t at = 0; orders_next_missing(orders, &at, &id, &sessions);) {
        struct shard *shard = map_get(&w->node->shard_map, id);
        if (shard != NULL && shard->world == w && shard->owned)
            haunt(shard, sessions, now);
    }
}
