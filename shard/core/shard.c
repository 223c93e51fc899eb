/* The table of shards: how they start and when they are forgotten. */
#include "shard/core/shard.h"

#include <assert.h>
#include <stdlib.h>

#include "common/proto/shard_id.h"
#include "shard/core/client.h"
#include "shard/core/node_state.h"
#include "shard/core/parting.h"
#include "shard/core/recall.h"
#include "shard/core/session.h"

enum {
    /* What may follow the room in an id: world, time, number. */
    SHARD_ID_REST_MAX = 4096,
    /* A shard that the world does not know is forgotten after so long without use. */
    SHARD_IDLE_MS = 60000,
    /* Larger ones are not checked after each change: debug builds would take the square of the
     * number of clients. */
    SHARD_CHECK_MAX = 256,
};

enum err shard_id_check(const struct node *n, struct span id)
{
    if (id.len > n->settings->max_room_id + SHARD_ID_REST_MAX)
        return ERR_LIMIT;
    struct shard_id parts = shard_id_parse(id);
    if (parts.room.len > n->settings->max_room_id)
        return ERR_LIMIT;
    return parts.room.len == 0 || !span_is_utf8(id) ? ERR_SYNTAX : ERR_OK;
}

static struct shard *shard_start(struct node *n, struct span id, int64_t now)
{
    struct shard *shard = xmalloc(sizeof *shard + id.len);
    *shard = (struct shard){.node = n, .idle_since_ms = now};
    memcpy(shard->text, id.ptr, id.len);
    shard->id = span_of(shard->text, id.len);
    struct shard_id parts = shard_id_parse(shard->id);
    shard->room = parts.room;
    shard->world = parts.world.ptr == NULL ? span_str(n->settings->world_id) : parts.world;
    list_init(&shard->clients);
    list_init(&shard->partings);
    shard->self = slots_add(&n->shard_slots, shard);
    map_add(&n->shard_map, shard->id, shard);
    list_push(&n->shards, &shard->in_node);
    n->stats.shards++;
    seating_init(&shard->seating, shard);
    bans_init(&shard->bans, shard);
    drain_init(&shard->drain, n, shard);
    link_init(&shard->link, shard);
    report_start(&shard->report, shard, now);
    return shard;
}

/* Ends what runs for it, and takes it out of the node. */
static void shard_end(struct shard *shard)
{
    struct node *n = shard->node;
    link_end(&shard->link);
    report_stop(&shard->report);
    slots_remove(&n->shard_slots, shard->self);
    map_remove(&n->shard_map, shard->id);
    list_remove(&shard->in_node);
    n->stats.shards--;
    shard_free(shard);
}

enum err shard_reach(struct node *n, struct span id, int64_t now, struct shard **out)
{
    *out = map_get(&n->shard_map, id);
    if (*out != NULL)
        return ERR_OK;
    enum err e = shard_id_check(n, id);
    if (e != ERR_OK)
        return e;
    if (n->stats.shards >= n->settings->max_shards)
        return ERR_FULL;
    *out = shard_start(n, id, now);
    return ERR_OK;
}

void shard_reported(struct shard *shard, bool confirmed, int64_t now)
{
    report_answered(&shard->report, confirmed);
    bool idle = shard->client_count == 0 && now - shard->idle_since_ms >= SHARD_IDLE_MS;
    if (idle && !confirmed)
        shard_end(shard);
    else
        report_catch_up(&shard->report);
}

void shard_free(struct shard *shard)
{
    for (struct waiting *w; (w = backlog_pop(&shard->link.backlog)) != NULL;)
        free(w);
    LIST_EACH_SAFE (&shard->clients, it, tmp)
        free(CONTAINER_OF(it, struct client, in_shard));
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(&shard->sessions, &at)) != NULL;)
        session_free(e->value);
    map_clear(&shard->sessions);
    recall_clear(&shard->link);
    seating_clear(&shard->seating);
    bans_clear(&shard->bans);
    drain_stop(&shard->drain);
    parting_clear(shard);
    free(shard);
}

static size_t check_session(const struct shard *shard, const struct session *s)
{
    size_t sockets = 0;
    LIST_EACH (&s->clients, it) {
        const struct client *c = CONTAINER_OF(it, struct client, in_session);
        assert(c->session == s && slots_get(&shard->node->client_slots, c->self) == c);
        assert(c->told || !link_stands(&shard->link));
        assert(!c->told || s->told);
        assert(!c->paused || shard->link.choked);
        sockets++;
    }
    assert(s->shard == shard);
    assert(session_is_ghost(s) == (sockets == 0));
    assert(session_is_ghost(s) == list_linked(&s->in_ghosts));
    assert(!session_is_ghost(s) || s->told || s->queued > 0);
    assert(!s->awaiting || session_is_ghost(s));
    return sockets;
}

static void check_link(const struct link *l, size_t awaiting, size_t queued)
{
    size_t bytes = 0, messages = 0, ghosts = l->ghost_bytes;
    LIST_EACH (&l->backlog.messages, it) {
        bytes += CONTAINER_OF(it, struct waiting, in_backlog)->len;
        messages++;
    }
    assert(bytes == l->backlog.bytes && messages == queued);
    LIST_EACH (&l->ghosts, it)
        ghosts -= CONTAINER_OF(it, struct session, in_ghosts)->weight;
    assert(ghosts == 0);
    assert(l->awaiting == awaiting);
    assert(awaiting == 0 || l->state == LINK_REPLAYING);
    assert(l->state != LINK_REPLAYING || awaiting > 0);
    assert(l->state != LINK_UP || (messages == 0 && list_empty(&l->ghosts)));
    assert(handle_is_none(l->self) == (l->state == LINK_IDLE || l->state == LINK_WAITING));
    assert(timer_is_set(&l->step) == (l->state == LINK_WAITING || l->state == LINK_REPLAYING));
    /* Whatever is held back has an end. */
    assert(link_stands(l) || messages == 0 || timer_is_set(&l->deadline));
    assert(!l->choked || timer_is_set(&l->deadline) || l->state == LINK_REPLAYING);
}

void shard_check(const struct shard *shard)
{
    size_t at = 0, sockets = 0, awaiting = 0, queued = 0, listed = 0, parting = 0;
    for (struct map_entry *e; (e = map_next(&shard->sessions, &at)) != NULL;) {
        const struct session *s = e->value;
        sockets += check_session(shard, s);
        awaiting += s->awaiting ? 1 : 0;
        queued += s->queued;
    }
    LIST_EACH (&shard->clients, it) {
        listed++;
        parting += CONTAINER_OF(it, struct client, in_shard)->parting ? 1 : 0;
    }
    assert(sockets == shard->client_count && listed == sockets);
    assert(parting == shard->parting && (parting == 0 || !list_empty(&shard->partings)));
    check_link(&shard->link, awaiting, queued);
    seating_check(&shard->seating);
}

void shard_changed(const struct shard *shard)
{
#ifdef TERRANE_CHECK
    if (shard->client_count <= SHARD_CHECK_MAX)
        shard_check(shard);
#else
    (void)shard;
#endif
}
