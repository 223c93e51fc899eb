/* The table of shards: how they start and when they are forgotten. */
#include "shard/core/shard.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/proto/shard_id.h"
#include "shard/core/client.h"
#include "shard/core/node_state.h"
#include "shard/core/parting.h"
#include "shard/core/recall.h"
#include "shard/core/session.h"
#include "shard/core/world.h"

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

static struct shard *shard_start(struct node *n, struct span id, struct world *world, int64_t now)
{
    struct shard *shard = xmalloc(sizeof *shard + id.len);
    *shard = (struct shard){.node = n, .idle_since_ms = now};
    memcpy(shard->text, id.ptr, id.len);
    shard->id = span_of(shard->text, id.len);
    shard->room = shard_id_parse(shard->id).room;
    list_init(&shard->clients);
    list_init(&shard->passing);
    list_init(&shard->partings);
    shard->self = slots_add(&n->shard_slots, shard);
    map_add(&n->shard_map, shard->id, shard);
    list_push(&n->shards, &shard->in_node);
    n->stats.shards++;
    seating_init(&shard->seating, shard);
    bans_init(&shard->bans, shard);
    drain_init(&shard->drain, n, shard);
    link_init(&shard->link, shard);
    tidings_init(&shard->tidings);
    report_init(&shard->report, shard);
    world_add_shard(world, shard, now);
    return shard;
}

void shard_end(struct shard *shard, int64_t now)
{
    struct node *n = shard->node;
    assert(shard->client_count == 0);
    n->stats.shards_owned -= shard->owned ? 1 : 0;
    link_end(&shard->link);
    world_remove_shard(shard->world, shard, now);
    slots_remove(&n->shard_slots, shard->self);
    map_remove(&n->shard_map, shard->id);
    list_remove(&shard->in_node);
    n->stats.shards--;
    shard_free(shard);
}

/* Nobody would miss it: it only waits for its time to be over. */
static bool is_spare(const struct shard *shard)
{
    return !shard->owned && shard->world->mode != WORLD_REFERENCE && shard->client_count == 0 &&
           shard->sessions.count == 0 && shard->seating.kept.count == 0;
}

/* Looked for once per moment: there may be none, and many who ask. */
static void end_spare(struct node *n, int64_t now)
{
    if (n->spared_ms == now)
        return;
    n->spared_ms = now;
    LIST_EACH_SAFE (&n->shards, it, tmp) {
        struct shard *shard = CONTAINER_OF(it, struct shard, in_node);
        if (is_spare(shard))
            shard_end(shard, now);
    }
}

/* The world that an id names; NULL: there are too many. */
static struct world *world_of_id(struct node *n, struct span id, int64_t now)
{
    struct span named = shard_id_parse(id).world;
    return world_reach(n, named.ptr == NULL ? span_str(n->settings->world_id) : named, now);
}

/* `world` NULL: the one that the id names. */
static enum err shard_new(struct node *n, struct span id, struct world *world, int64_t now,
                          struct shard **out)
{
    enum err e = shard_id_check(n, id);
    if (e != ERR_OK)
        return e;
    if (n->stats.shards >= n->settings->max_shards)
        end_spare(n, now);
    if (n->stats.shards >= n->settings->max_shards)
        return ERR_FULL;
    if (world == NULL)
        world = world_of_id(n, id, now);
    if (world == NULL)
        return ERR_FULL;
    *out = shard_start(n, id, world, now);
    return ERR_OK;
}

enum err shard_reach(struct node *n, struct span id, int64_t now, struct shard **out)
{
    *out = map_get(&n->shard_map, id);
    return *out != NULL ? ERR_OK : shard_new(n, id, NULL, now, out);
}

enum err shard_reach_in(struct node *n, struct span id, struct world *world, int64_t now,
                        struct shard **out)
{
    *out = map_get(&n->shard_map, id);
    if (*out == NULL)
        return shard_new(n, id, world, now, out);
    return (*out)->world == world ? ERR_OK : ERR_EXISTS;
}

void shard_own(struct shard *shard)
{
    struct node_stats *stats = &shard->node->stats;
    stats->shards_owned += shard->owned ? 0 : 1;
    stats->guests -= shard->dropped ? shard->client_count : 0;
    shard->owned = true;
    shard->dropped = shard->adopted = false;
}

void shard_drop(struct shard *shard, int64_t now)
{
    struct node_stats *stats = &shard->node->stats;
    if (!shard->owned)
        return;
    log_info("shard.dropped", "shard=%.*s guests=%zu", SPAN_ARG(shard->id), shard->client_count);
    stats->shards_owned--;
    stats->guests += shard->client_count;
    shard->owned = false;
    shard->dropped = true;
    link_direct(&shard->link, span_str(shard->link.server), false, now);
}

void shard_name_room(struct shard *shard, struct span room, int64_t now)
{
    if (room.len == 0 || room.len > shard->node->settings->max_room_id ||
        span_eq(room, shard->room))
        return;
    char *text = xspandup(room);
    free(shard->room_text);
    shard->room_text = text;
    shard->room = span_of(text, room.len);
    link_redial(&shard->link, now);
}

uint64_t shard_sessions(const struct shard *shard)
{
    uint64_t count = shard->sessions.count + shard->passing_sessions.count;
    LIST_EACH (&shard->link.ghosts, it)
        count--;
    return count;
}

bool shard_is_idle(const struct shard *shard, int64_t now)
{
    return shard->client_count == 0 && now - shard->idle_since_ms >= SHARD_IDLE_MS;
}

void shard_reported(struct shard *shard, bool confirmed, int64_t now)
{
    report_answered(&shard->report, confirmed);
    bool alone = shard->report.on && !confirmed; /* the world does not know it */
    if (alone && shard_is_idle(shard, now))
        shard_end(shard, now);
    else
        report_catch_up(&shard->report);
}

static void free_sessions(struct map *sessions)
{
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(sessions, &at)) != NULL;)
        session_free(e->value);
    map_clear(sessions);
}

void shard_free(struct shard *shard)
{
    for (struct waiting *w; (w = backlog_pop(&shard->link.backlog)) != NULL;)
        free(w);
    LIST_EACH_SAFE (&shard->clients, it, tmp)
        free(CONTAINER_OF(it, struct client, in_shard));
    LIST_EACH_SAFE (&shard->passing, it, tmp)
        free(CONTAINER_OF(it, struct client, in_shard));
    free_sessions(&shard->sessions);
    free_sessions(&shard->passing_sessions);
    link_clear(&shard->link);
    seating_clear(&shard->seating);
    bans_clear(&shard->bans);
    drain_stop(&shard->drain);
    parting_clear(shard);
    tidings_clear(shard);
    free(shard->room_text);
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

/* Answers how many of their sockets are parting; *sockets is their number. */
static size_t check_list(const struct list *clients, bool passes, size_t *sockets)
{
    size_t parting = 0;
    *sockets = 0;
    LIST_EACH (clients, it) {
        const struct client *c = CONTAINER_OF(it, struct client, in_shard);
        assert(c->session->passes == passes);
        ++*sockets;
        parting += c->parting ? 1 : 0;
    }
    return parting;
}

static size_t check_passing(const struct shard *shard)
{
    size_t at = 0, sockets = 0;
    for (struct map_entry *e; (e = map_next(&shard->passing_sessions, &at)) != NULL;) {
        const struct session *s = e->value;
        assert(s->passes && s->shard == shard && !list_empty(&s->clients));
        assert(!s->told && !s->named && s->queued == 0 && s->last == NULL);
        assert(!list_linked(&s->in_ghosts) && !list_linked(&s->in_news));
        LIST_EACH (&s->clients, it) {
            const struct client *c = CONTAINER_OF(it, struct client, in_session);
            assert(c->session == s && slots_get(&shard->node->client_slots, c->self) == c);
            assert(!c->told && !c->paused);
            sockets++;
        }
    }
    return sockets;
}

static void check_link(const struct link *l, size_t awaiting, size_t queued)
{
    size_t bytes = 0, messages = 0, ghosts = l->ghost_bytes, ghost_count = 0;
    LIST_EACH (&l->backlog.messages, it) {
        bytes += CONTAINER_OF(it, struct waiting, in_backlog)->len;
        messages++;
    }
    assert(bytes == l->backlog.bytes && messages == queued);
    LIST_EACH (&l->ghosts, it) {
        ghosts -= CONTAINER_OF(it, struct session, in_ghosts)->weight;
        ghost_count++;
    }
    assert(ghosts == 0);
    assert(l->awaiting == awaiting);
    assert(awaiting == 0 || link_stands(l));
    assert(l->state != LINK_REPLAYING || awaiting > 0);
    assert(l->state != LINK_UP || (messages == 0 && ghost_count == awaiting));
    assert(handle_is_none(l->self) == (l->state == LINK_IDLE || l->state == LINK_WAITING));
    assert(l->state == LINK_CLOSING ||
           timer_is_set(&l->step) == ((l->state == LINK_WAITING && !l->held) || awaiting > 0));
    assert(!l->held || l->state == LINK_IDLE || l->state == LINK_WAITING ||
           l->state == LINK_CLOSING);
    /* Whatever is held back has an end. */
    assert(link_stands(l) || messages == 0 || timer_is_set(&l->deadline));
    assert(!l->choked || timer_is_set(&l->deadline) || l->state == LINK_REPLAYING);
}

void shard_check(const struct shard *shard)
{
    size_t at = 0, sockets = 0, awaiting = 0, queued = 0, listed, passing, parting;
    for (struct map_entry *e; (e = map_next(&shard->sessions, &at)) != NULL;) {
        const struct session *s = e->value;
        assert(!s->passes);
        sockets += check_session(shard, s);
        awaiting += s->awaiting ? 1 : 0;
        queued += s->queued;
    }
    parting = check_list(&shard->clients, false, &listed);
    parting += check_list(&shard->passing, true, &passing);
    assert(sockets == listed && passing == check_passing(shard));
    assert(passing == shard->passing_count && listed + passing == shard->client_count);
    assert(parting == shard->parting && (parting == 0 || !list_empty(&shard->partings)));
    assert(!shard->owned || !shard->dropped);
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
