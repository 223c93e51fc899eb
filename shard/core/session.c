/* Sessions and ghosts. Which ghosts the room hears of, and when, is decided in replay.c. */
#include "shard/core/session.h"

#include <assert.h>
#include <stdlib.h>

#include "shard/core/client.h"
#include "shard/core/node_state.h"
#include "shard/core/recall.h"
#include "shard/core/replay.h"
#include "shard/core/shard.h"

/* As many characters as Math.random().toString(36) gives the reference. */
enum { RANDOM_ID_LEN = 11 };

static void random_id(struct rng *rng, char out[RANDOM_ID_LEN])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    for (size_t i = 0; i < RANDOM_ID_LEN; i++)
        out[i] = digits[rng_below(rng, sizeof digits - 1)];
}

/* From here on, and until session_forget, its room may show it. */
static void session_enrol(struct session *s)
{
    map_add(&s->shard->sessions, session_id(s), s);
    tidings_came(s);
}

static void session_forget(struct session *s)
{
    map_remove(&s->shard->sessions, session_id(s));
    tidings_left(s);
}

static struct session *session_new(struct shard *shard, struct span id, bool passes)
{
    assert(id.len > 0 && id.len <= UINT32_MAX);
    struct session *s = xmalloc(sizeof *s + id.len);
    *s = (struct session){.shard = shard, .id_len = (uint32_t)id.len, .passes = passes};
    memcpy(s->id, id.ptr, id.len);
    list_init(&s->clients);
    if (passes)
        map_add(&shard->passing_sessions, session_id(s), s);
    else
        session_enrol(s);
    shard->node->stats.sessions++;
    return s;
}

static struct session *session_new_random(struct shard *shard, bool passes)
{
    char text[RANDOM_ID_LEN];
    struct span id;
    do {
        random_id(&shard->node->rng, text);
        id = span_of(text, sizeof text);
    } while (session_find(shard, id) != NULL || session_find_passing(shard, id) != NULL);
    return session_new(shard, id, passes);
}

static void leave_ghosts(struct session *s)
{
    list_remove(&s->in_ghosts);
    s->shard->link.ghost_bytes -= s->weight;
    s->weight = 0;
}

/* Takes it out of its shard and frees it. */
static void session_end(struct session *s)
{
    assert(list_empty(&s->clients) && s->queued == 0 && !s->awaiting);
    session_forget(s);
    leave_ghosts(s);
    session_free(s);
}

static void session_revive(struct session *s)
{
    struct link *l = &s->shard->link;
    leave_ghosts(s);
    free(s->last);
    s->last = NULL;
    if (s->awaiting)
        l->awaiting--;
    s->awaiting = false;
    s->shard->node->stats.sessions++;
}

static size_t count_sockets(const struct session *s, size_t count)
{
    if (s == NULL)
        return count;
    LIST_EACH (&s->clients, it) {
        if (count == SESSION_SOCKETS_MANY)
            break;
        count++;
    }
    return count;
}

size_t session_sockets(const struct shard *shard, struct span id)
{
    return count_sockets(session_find(shard, id),
                         count_sockets(session_find_passing(shard, id), 0));
}

struct session *session_find(const struct shard *shard, struct span id)
{
    return map_get(&shard->sessions, id);
}

struct session *session_find_passing(const struct shard *shard, struct span id)
{
    return map_get(&shard->passing_sessions, id);
}

struct session *session_enter_passing(struct shard *shard, struct span id)
{
    if (id.len == 0)
        return session_new_random(shard, true);
    struct session *s = session_find_passing(shard, id);
    if (s == NULL)
        s = session_new(shard, id, true);
    s->explicit = true;
    return s;
}

struct session *session_enter(struct shard *shard, struct span id)
{
    if (id.len == 0)
        return session_new_random(shard, false);
    struct session *s = session_find(shard, id);
    if (s == NULL)
        s = session_new(shard, id, false);
    else if (session_is_ghost(s))
        session_revive(s);
    s->explicit = true;
    return s;
}

/* The room hears that it left; kept until that is sent. Takes it out of its shard. */
static void session_part(struct session *s)
{
    struct link *l = &s->shard->link;
    link_tell_disconnected(l, s);
    session_forget(s);
    leave_ghosts(s);
    recall_keep(l, s);
}

/* One that the room knows weighs nothing: there are no more of them than there were clients. But a
 * stranger can come, say one word and go as often as he likes while the link is down. */
static void become_ghost(struct session *s)
{
    struct link *l = &s->shard->link;
    list_push(&l->ghosts, &s->in_ghosts);
    if (!s->told)
        s->weight = (uint32_t)(sizeof *s + sizeof *s->last) + s->id_len + s->last->request_info_len;
    l->ghost_bytes += s->weight;
}

void session_haunt(struct shard *shard, struct span id, struct span request_info, int64_t now)
{
    if (session_find(shard, id) != NULL)
        return;
    struct session *s = session_new(shard, id, false);
    shard->node->stats.sessions--;
    s->last = client_absent(request_info);
    s->told = s->named = true;
    become_ghost(s);
    replay_ghost(s, now);
}

void session_left(struct session *s, struct client *last)
{
    struct link *l = &s->shard->link;
    s->shard->node->stats.sessions--;
    if (s->passes) {
        free(last);
        map_remove(&s->shard->passing_sessions, session_id(s));
        session_free(s);
        return;
    }
    s->last = last;
    if (s->queued == 0 && !s->told)
        session_end(s);
    else if (s->queued == 0 && link_stands(l))
        session_part(s);
    else
        become_ghost(s);
}

void session_close_all(struct shard *shard, struct span id, enum node_reason why, int64_t now)
{
    struct session *linked = session_find(shard, id), *passing = session_find_passing(shard, id);
    if (linked != NULL && !session_is_ghost(linked))
        session_close(linked, why, now);
    if (passing != NULL)
        session_close(passing, why, now);
}

void session_close(struct session *s, enum node_reason why, int64_t now)
{
    /* The session ends with its last socket, so the last one is told apart before. */
    for (bool last = false; !last;) {
        struct list *first = list_first(&s->clients);
        last = first->next == &s->clients;
        client_close(CONTAINER_OF(first, struct client, in_session), why, now);
    }
}

void session_ghost_leave(struct session *s)
{
    assert(session_is_ghost(s));
    if (s->told)
        session_part(s);
    else
        session_end(s);
}

void session_return(struct session *s)
{
    struct shard *shard = s->shard;
    session_enrol(s);
    list_push(&shard->link.ghosts, &s->in_ghosts);
    s->told = true; /* as far as we know */
}

void session_ghost_drop(struct session *s)
{
    assert(session_is_ghost(s));
    session_end(s);
}

void session_free(struct session *s)
{
    free(s->last);
    free(s);
}
