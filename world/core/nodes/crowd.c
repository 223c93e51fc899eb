/* The crowds of all shards, and for each room the map from ids to who is in it by them. */
#include "world/core/nodes/crowd.h"

#include <assert.h>
#include <stdlib.h>

#include "common/proto/orders.h"
#include "world/core/nodes/nodes.h"

struct crowd {
    struct shard *shard;     /* through which the room is told, if need be */
    struct holding *holding; /* NULL: its node will not be back with it */
    struct list members;     /* struct presence */
    size_t count;
    struct list in_shard; /* while it is lost: of its `missing`, */
    struct list in_lost;  /* and of the registry's, the first to be due first */
    int64_t due_ms;
    bool named;       /* it is due: orders name it, */
    int64_t until_ms; /* until then; 0: they have not yet */
};

/* One session by one node and shard. */
struct presence {
    struct crowd *crowd;
    struct list in_crowd;
    struct presence *next; /* of the same id, in the same room */
    uint8_t len;
    char id[];
};

static struct span id_of(const struct presence *p)
{
    return span_of(p->id, p->len);
}

static struct presence *presence_at(struct list *it)
{
    return CONTAINER_OF(it, struct presence, in_crowd);
}

static bool is_lost(const struct crowd *c)
{
    return list_linked(&c->in_lost);
}

/* ---- one session */

static void presence_new(struct registry *r, struct crowd *c, struct span id)
{
    struct map *present = &c->shard->room->present;
    struct presence *first = map_get(present, id), *p;

    if (r->session_count == CROWD_SESSIONS_MAX)
        return;
    p = xmalloc(sizeof(*p) + id.len);
    *p = (struct presence){.crowd = c, .len = (uint8_t)id.len};
    memcpy(p->id, id.ptr, id.len);
    if (first == NULL) {
        map_add(present, id_of(p), p);
    } else {
        p->next = first->next;
        first->next = p;
    }
    list_push(&c->members, &p->in_crowd);
    c->count++;
    r->session_count++;
}

/* The crowd may be empty then: crowd_settle. */
static void presence_end(struct registry *r, struct presence *p)
{
    struct crowd *c = p->crowd;
    struct map *present = &c->shard->room->present;
    struct presence *before = map_get(present, id_of(p));

    if (before == p) {
        map_remove(present, id_of(p));
        if (p->next != NULL)
            map_add(present, id_of(p->next), p->next);
    } else {
        while (before->next != p)
            before = before->next;
        before->next = p->next;
    }
    list_remove(&p->in_crowd);
    c->count--;
    r->session_count--;
    free(p);
}

/* It is in its room by somebody who can tell of it. */
static bool is_elsewhere(const struct presence *p)
{
    const struct presence *other = map_get(&p->crowd->shard->room->present, id_of(p));

    while (other != NULL && is_lost(other->crowd))
        other = other->next;
    return other != NULL;
}

/* ---- one crowd */

static struct crowd *crowd_of(struct holding *h)
{
    struct crowd *c = h->crowd;

    if (c != NULL)
        return c;
    c = h->crowd = xcalloc(1, sizeof(*c));
    c->shard = h->shard;
    c->holding = h;
    list_init(&c->members);
    return c;
}

/* One without members goes. */
static void crowd_settle(struct crowd *c)
{
    if (c == NULL || c->count > 0)
        return;
    list_remove(&c->in_shard);
    list_remove(&c->in_lost);
    if (c->holding != NULL)
        c->holding->crowd = NULL;
    free(c);
}

static void crowd_end(struct registry *r, struct crowd *c)
{
    for (struct list *it; (it = list_first(&c->members)) != NULL;)
        presence_end(r, presence_at(it));
    crowd_settle(c);
}

/* It was named to this node as missing. */
static bool was_named_to(const struct crowd *c, const struct holding *h)
{
    return is_lost(c) && c->named && c->shard->owner == h->node;
}

/* What a node said of the session before is over, and the room has heard that it left if the node
 * was asked to see to that. Of others it knows nothing: its news may be older than their loss. */
static void end_session(struct registry *r, struct holding *h, struct span id)
{
    struct presence *p = map_get(&h->shard->room->present, id), *next;

    for (; p != NULL; p = next) {
        struct crowd *c = p->crowd;
        next = p->next;
        if (c != h->crowd && !was_named_to(c, h))
            continue;
        presence_end(r, p);
        if (c != h->crowd)
            crowd_settle(c);
    }
}

/* Somebody tells that the session is there: nobody misses it, and what that one said of it before
 * is over. */
static void forget_session(struct registry *r, struct holding *h, struct span id)
{
    struct presence *p = map_get(&h->shard->room->present, id), *next;

    for (; p != NULL; p = next) {
        struct crowd *c = p->crowd;
        next = p->next;
        if (c != h->crowd && !is_lost(c))
            continue;
        presence_end(r, p);
        if (c != h->crowd)
            crowd_settle(c);
    }
}

void crowd_report(struct registry *r, struct holding *h, const struct beat_shard *b,
                  struct beat_doc *doc)
{
    struct span id;

    if (b->all)
        crowd_disperse(r, h);
    for (size_t at = 0; beat_next_session(doc, b->left, &at, &id);)
        end_session(r, h, id);
    for (size_t at = 0; beat_next_session(doc, b->joined, &at, &id);) {
        forget_session(r, h, id);
        presence_new(r, crowd_of(h), id);
    }
    crowd_settle(h->crowd);
}

void crowd_disperse(struct registry *r, struct holding *h)
{
    if (h->crowd != NULL)
        crowd_end(r, h->crowd);
}

/* ---- the lost */

void crowd_lose(struct registry *r, struct holding *h, struct moment now)
{
    struct crowd *c = h->crowd;

    if (c == NULL || is_lost(c))
        return;
    c->due_ms = now.mono_ms + CROWD_RETURN_MS;
    list_push(&r->lost_crowds, &c->in_lost);
    list_push(&h->shard->missing, &c->in_shard);
}

void crowd_heal(struct holding *h)
{
    struct crowd *c = h->crowd;

    if (c == NULL)
        return;
    list_remove(&c->in_lost);
    list_remove(&c->in_shard);
    c->named = false;
    c->until_ms = 0;
}

/* Its node will not come back with it. */
static void crowd_orphan(struct crowd *c)
{
    c->holding->crowd = NULL;
    c->holding = NULL;
}

void crowd_release(struct registry *r, struct holding *h)
{
    if (h->crowd == NULL)
        return;
    if (is_lost(h->crowd))
        crowd_orphan(h->crowd);
    else
        crowd_end(r, h->crowd);
}

/* One that a node has, if there is one; another one may get a node in time (CROWD_KEEP_MS). */
static struct shard *another_shard(const struct shard *s)
{
    struct shard *without = NULL;
    struct candidate *c;
    uint32_t at = 0;

    while ((c = candidates_next(&s->room->candidates, &at)) != NULL) {
        struct shard *other = shard_of_candidate(c);
        if (other == s)
            continue;
        if (other->owner != NULL)
            return other;
        without = other;
    }
    return without;
}

void crowd_leave_shard(struct registry *r, struct shard *s)
{
    struct shard *other = list_empty(&s->missing) ? NULL : another_shard(s);

    for (struct list *it; other != NULL && (it = list_first(&s->missing)) != NULL;) {
        struct crowd *c = CONTAINER_OF(it, struct crowd, in_shard);
        if (c->holding != NULL)
            crowd_orphan(c);
        c->shard = other;
        list_remove(it);
        list_push(&other->missing, it);
    }
    crowd_drop_shard(r, s);
}

void crowd_drop_shard(struct registry *r, struct shard *s)
{
    for (struct list *it; (it = list_first(&s->missing)) != NULL;)
        crowd_end(r, CONTAINER_OF(it, struct crowd, in_shard));
}

/* ---- the missing */

/* A node that others could not reach is heard again, or dies. Of those that died with most others
 * it is more likely that the world was cut off. */
static bool waits_longer(const struct crowd *c, struct moment now)
{
    const struct node *n = c->holding == NULL ? NULL : c->holding->node;

    if (n == NULL)
        return false;
    return n->state != NODE_DEAD || (n->held && now.mono_ms - n->heard_ms < NODES_FORGET_MS);
}

/* Names those that are nowhere else. */
static void crowd_name(struct registry *r, struct crowd *c)
{
    c->named = true;
    LIST_EACH_SAFE (&c->members, it, after) {
        if (is_elsewhere(presence_at(it)))
            presence_end(r, presence_at(it));
    }
    if (c->holding != NULL && c->count > 0)
        c->holding->node->was_missed = true;
    crowd_settle(c);
}

static bool is_over(const struct crowd *c, struct moment now)
{
    return (c->until_ms != 0 && now.mono_ms >= c->until_ms) ||
           now.mono_ms - c->due_ms >= CROWD_KEEP_MS;
}

void crowd_tick(struct registry *r, struct moment now)
{
    LIST_EACH_SAFE (&r->lost_crowds, it, after) {
        struct crowd *c = CONTAINER_OF(it, struct crowd, in_lost);
        if (c->due_ms > now.mono_ms)
            break;
        if (is_over(c, now))
            crowd_end(r, c);
        else if (!c->named && !waits_longer(c, now))
            crowd_name(r, c);
    }
}

/* Answers how many it has named. */
static size_t add_members(const struct crowd *c, size_t max, struct buf *ids)
{
    size_t count = 0;

    LIST_EACH (&c->members, it) {
        if (count == max)
            break;
        buf_add_char(ids, count++ == 0 ? '[' : ',');
        json_add_string(ids, id_of(presence_at(it)));
    }
    buf_add_char(ids, ']');
    return count;
}

void crowd_add_orders(struct registry *r, const struct node *n, struct moment now, struct buf *out)
{
    struct buf ids = {0};
    size_t left = CROWD_ORDERS_MAX;

    LIST_EACH (&r->lost_crowds, it) {
        struct crowd *c = CONTAINER_OF(it, struct crowd, in_lost);
        if (c->due_ms > now.mono_ms || left == 0)
            break;
        if (!c->named || c->shard->owner != n)
            continue;
        if (c->until_ms == 0)
            c->until_ms = now.mono_ms + CROWD_NAMED_MS;
        if (left == CROWD_ORDERS_MAX)
            orders_open_missing(out);
        buf_reset(&ids);
        bool first = left == CROWD_ORDERS_MAX;
        left -= add_members(c, left, &ids);
        orders_add_missing(out, c->shard->id, buf_span(&ids), first);
    }
    buf_clear(&ids);
}

bool crowd_knows(const struct room *room, struct span node, struct span session)
{
    const struct presence *p = map_get(&room->present, session);

    while (p != NULL && (p->crowd->holding == NULL || !span_eq(p->crowd->holding->node->id, node)))
        p = p->next;
    return p != NULL;
}

void crowd_check(const struct room *room)
{
    size_t at = 0;

    for (struct map_entry *e; (e = map_next(&room->present, &at)) != NULL;) {
        for (const struct presence *p = e->value; p != NULL; p = p->next) {
            const struct crowd *c = p->crowd;
            assert(span_eq(id_of(p), e->key) && c->shard->room == room && c->count > 0);
            assert(c->holding == NULL ? is_lost(c) : c->holding->crowd == c);
            assert(is_lost(c) == list_linked(&c->in_shard));
        }
    }
}
