/* A shard may be told and changed at the same time: then the answer confirms what was told, and
 * what changed since is compared with that. */
#include "shard/core/tidings.h"

#include <stdlib.h>

#include "common/base/map.h"
#include "shard/core/session.h"
#include "shard/core/shard.h"
#include "shard/core/world.h"

/* A shard that ended before its world knew that nobody is there. */
struct ended {
    struct list node;
    struct span id; /* in `text` */
    char text[];
};

/* A session that left, and that the world may know of. */
struct departed {
    struct list node;
    size_t len;
    char id[];
};

static struct shard *shard_of_changed(struct list *it)
{
    return CONTAINER_OF(it, struct shard, tidings.in_changed);
}

static struct beat_shard numbers_now(const struct shard *shard)
{
    return (struct beat_shard){
        .open = shard->client_count,
        .returning = seating_kept(&shard->seating),
        .admitted = shard->seating.admitted,
        .readmitted = shard->seating.readmitted,
        .sessions = shard_sessions(shard),
        .link = link_beat_state(&shard->link),
    };
}

static uint64_t server_mark(const struct link *l)
{
    struct span server = link_server(l);
    return server.len == 0 ? 0 : map_hash(server);
}

static bool is_news(const struct shard *shard)
{
    const struct tidings *t = &shard->tidings;
    const struct beat_shard now = numbers_now(shard), *last = &t->last;
    return !t->known || !list_empty(&t->joined) || !list_empty(&t->left) ||
           now.open != last->open || now.returning != last->returning ||
           now.admitted != last->admitted || now.readmitted != last->readmitted ||
           now.sessions != last->sessions || now.link != last->link ||
           t->server != server_mark(&shard->link);
}

/* The world knows of nothing there. */
static bool is_known_empty(const struct tidings *t)
{
    const struct beat_shard *last = &t->last;
    return !t->told || (t->known && last->open == 0 && last->returning == 0 &&
                        last->sessions == 0 && last->link == BEAT_LINK_IDLE);
}

static void ended_free(struct ended *e)
{
    list_remove(&e->node);
    free(e);
}

static void forget_ended(struct news *n, struct list *from)
{
    for (struct list *first; (first = list_first(from)) != NULL; n->ended_count--)
        ended_free(CONTAINER_OF(first, struct ended, node));
}

static void move_all(struct list *from, struct list *to)
{
    for (struct list *first; (first = list_first(from)) != NULL;) {
        list_remove(first);
        list_push(to, first);
    }
}

/* ---- sessions */

static void forget_departed(struct news *n, struct list *from)
{
    for (struct list *first; (first = list_first(from)) != NULL; n->left_count--) {
        list_remove(first);
        free(CONTAINER_OF(first, struct departed, node));
    }
}

/* All are news: who is not told has left. */
static void renew_sessions(struct news *n, struct shard *shard)
{
    struct tidings *t = &shard->tidings;
    size_t at = 0;
    forget_departed(n, &t->left);
    for (struct map_entry *e; (e = map_next(&shard->sessions, &at)) != NULL;) {
        struct session *s = e->value;
        if (s->id_len <= BEAT_SESSION_MAX && !list_linked(&s->in_news))
            list_push(&t->joined, &s->in_news);
    }
}

static void add_id(struct buf *ids, struct span id)
{
    buf_add_char(ids, ids->len == 0 ? '[' : ',');
    json_add_string(ids, id);
}

static void end_ids(struct buf *ids)
{
    if (ids->len > 0)
        buf_add_char(ids, ']');
}

/* Whoever left may have come again, so these go first; the world reads them first, too. */
static void add_left(struct news *n, struct tidings *t)
{
    buf_reset(&n->ids);
    for (struct list *it; (it = list_first(&t->left)) != NULL; n->left_to_name--) {
        const struct departed *d = CONTAINER_OF(it, struct departed, node);
        if (n->left_to_name == 0)
            break;
        add_id(&n->ids, span_of(d->id, d->len));
        list_remove(it);
        list_push(&t->left_told, it);
    }
    end_ids(&n->ids);
}

static void add_joined(struct news *n, struct tidings *t)
{
    buf_reset(&n->more_ids);
    for (struct list *it; (it = list_first(&t->joined)) != NULL; n->left_to_name--) {
        struct session *s = CONTAINER_OF(it, struct session, in_news);
        if (n->left_to_name == 0)
            break;
        add_id(&n->more_ids, session_id(s));
        s->named = true;
        list_remove(it);
        list_push(&t->joined_told, it);
    }
    end_ids(&n->more_ids);
}

static void confirm_sessions(struct news *n, struct shard *shard)
{
    struct tidings *t = &shard->tidings;
    for (struct list *it; (it = list_first(&t->joined_told)) != NULL;)
        list_remove(it);
    forget_departed(n, &t->left_told);
    if (!list_empty(&t->joined) || !list_empty(&t->left))
        news_note(n, shard);
}

/* ---- shards */

static void tell_shard(struct news *n, struct shard *shard, struct buf *out, bool *first)
{
    struct tidings *t = &shard->tidings;
    if (n->told_all)
        renew_sessions(n, shard);
    add_left(n, t);
    add_joined(n, t);
    t->last = numbers_now(shard);
    t->server = server_mark(&shard->link);
    t->told = true;
    t->known = false;
    list_remove(&t->in_changed);
    list_push(&n->told, &t->in_told);
    struct beat_shard numbers = t->last;
    numbers.shard_id = shard->id;
    numbers.server = link_server(&shard->link);
    numbers.left = buf_span(&n->ids);
    numbers.joined = buf_span(&n->more_ids);
    beat_add_shard(out, &numbers, *first);
    *first = false;
}

static void tell_ended(struct news *n, struct buf *out, bool *first)
{
    LIST_EACH (&n->ended, it) {
        const struct beat_shard empty = {.shard_id = CONTAINER_OF(it, struct ended, node)->id};
        beat_add_shard(out, &empty, *first);
        *first = false;
    }
    move_all(&n->ended, &n->ended_told);
}

void tidings_init(struct tidings *t)
{
    list_init(&t->joined);
    list_init(&t->joined_told);
    list_init(&t->left);
    list_init(&t->left_told);
}

void tidings_clear(struct shard *shard)
{
    struct news *n = &shard->world->news;
    forget_departed(n, &shard->tidings.left);
    forget_departed(n, &shard->tidings.left_told);
}

void tidings_came(struct session *s)
{
    if (s->id_len > BEAT_SESSION_MAX)
        return;
    list_push(&s->shard->tidings.joined, &s->in_news);
    world_note(s->shard);
}

void tidings_left(struct session *s)
{
    struct news *n = &s->shard->world->news;
    list_remove(&s->in_news);
    if (!s->named || n->full)
        return;
    world_note(s->shard);
    if (n->left_count == TIDINGS_LEFT_MAX) {
        n->full = true;
        return;
    }
    struct departed *d = xmalloc(sizeof *d + s->id_len);
    *d = (struct departed){.len = s->id_len};
    memcpy(d->id, s->id, s->id_len);
    list_push(&s->shard->tidings.left, &d->node);
    n->left_count++;
}

void news_init(struct news *n)
{
    *n = (struct news){.full = true};
    list_init(&n->changed);
    list_init(&n->told);
    list_init(&n->ended);
    list_init(&n->ended_told);
}

void news_clear(struct news *n)
{
    forget_ended(n, &n->ended);
    forget_ended(n, &n->ended_told);
    buf_clear(&n->ids);
    buf_clear(&n->more_ids);
}

void news_note(struct news *n, struct shard *shard)
{
    if (!list_linked(&shard->tidings.in_changed))
        list_push(&n->changed, &shard->tidings.in_changed);
}

void news_note_end(struct news *n, struct shard *shard)
{
    struct tidings *t = &shard->tidings;
    list_remove(&t->in_changed);
    list_remove(&t->in_told);
    tidings_clear(shard);
    if (is_known_empty(t) || n->full)
        return;
    if (n->ended_count == TIDINGS_ENDED_MAX) {
        n->full = true;
        return;
    }
    struct ended *e = xmalloc(sizeof *e + shard->id.len);
    *e = (struct ended){.id = span_of(e->text, shard->id.len)};
    memcpy(e->text, shard->id.ptr, shard->id.len);
    list_push(&n->ended, &e->node);
    n->ended_count++;
}

bool news_are_there(struct news *n)
{
    LIST_EACH_SAFE (&n->changed, it, tmp)
        if (!is_news(shard_of_changed(it)))
            list_remove(it);
    return n->full || n->node || !list_empty(&n->changed) || !list_empty(&n->ended);
}

void news_tell(struct news *n, const struct world *w, struct buf *out)
{
    bool first = true;
    n->told_all = n->full;
    n->node = false;
    n->full = false;
    n->left_to_name = TIDINGS_SESSIONS_MAX;
    if (n->told_all) {
        forget_ended(n, &n->ended);
        LIST_EACH (&w->shards, it)
            tell_shard(n, CONTAINER_OF(it, struct shard, in_world), out, &first);
        return;
    }
    tell_ended(n, out, &first); /* first: one of them may have started again */
    LIST_EACH_SAFE (&n->changed, it, tmp)
        tell_shard(n, shard_of_changed(it), out, &first);
}

void news_confirm(struct news *n)
{
    for (struct list *it; (it = list_first(&n->told)) != NULL; list_remove(it)) {
        struct shard *shard = CONTAINER_OF(it, struct shard, tidings.in_told);
        shard->tidings.known = true;
        confirm_sessions(n, shard);
    }
    forget_ended(n, &n->ended_told);
}

void news_repeat(struct news *n)
{
    for (struct list *it; (it = list_first(&n->told)) != NULL; list_remove(it)) {
        struct shard *shard = CONTAINER_OF(it, struct shard, tidings.in_told);
        move_all(&shard->tidings.joined_told, &shard->tidings.joined);
        move_all(&shard->tidings.left_told, &shard->tidings.left);
        news_note(n, shard);
    }
    move_all(&n->ended_told, &n->ended);
    n->full = n->full || n->told_all;
}
