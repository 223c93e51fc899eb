/* Which node has a shard, and where it goes when that one cannot. Every change of owner passes
 * link_owner and unlink_owner, which keep a node's sums. */
#include <assert.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "world/core/nodes/nodes.h"
#include "world/core/rooms/shards.h"

enum {
    CAP_UNTOLD = 10000, /* what a node is taken for that tells no cap */
    CHECK_MAX = 128,    /* a node with more shards is not added up */
};

__extension__ typedef unsigned __int128 product;

struct drop {
    struct list node;
    int64_t version;
    struct span id; /* owned */
};

const char *const node_move_names[MOVE_COUNT + 1] = {
    [MOVE_DEAD] = "dead",       [MOVE_DRAIN] = "drain",
    [MOVE_ASKED] = "asked",     [MOVE_UNREACHABLE] = "unreachable",
    [MOVE_RETURN] = "return",   [MOVE_PLACED] = "placed",
    [MOVE_ORDERED] = "ordered",
};

static uint64_t weight_of(const struct shard *s)
{
    return s->max < NODES_SHARE_MAX ? s->max : NODES_SHARE_MAX;
}

static void add_drop(struct node *n, struct span id, int64_t version)
{
    struct drop *d = xcalloc(1, sizeof(*d));

    if (n->drop_count == NODES_DROPS_MAX) {
        n->full_below = version;
        node_forget_drops(n, INT64_MAX);
    }
    d->id = span_copy(id);
    d->version = version;
    list_push(&n->drops, &d->node);
    n->drop_count++;
}

/* The owner is told to let it go. */
static void unlink_owner(struct shard *s)
{
    struct node *n = s->owner;

    struct holding *h = holding_of(n, s);

    n->version_of_orders = ++n->world->nodes.version;
    if (h != NULL)
        h->order_version = n->version_of_orders; /* it may not have had the last about its link */
    add_drop(n, s->id, n->version_of_orders);
    list_remove(&s->in_owner);
    n->owned_count--;
    n->capacity -= s->weight_there;
    n->reserved -= s->reserved_there;
    s->reserved_there = 0;
    s->owner = NULL;
}

static void link_owner(struct shard *s, struct node *n)
{
    s->order_version = n->version_of_orders = ++n->world->nodes.version;
    s->owner = n;
    s->reserved_there = s->reserved;
    list_push(&n->owned, &s->in_owner);
    n->owned_count++;
    s->weight_there = weight_of(s);
    n->capacity += s->weight_there;
    n->reserved += s->reserved;
}

/* Silence of the shard itself counts only while it has no node. */
static void hear_by_owner(struct shard *s, struct moment now)
{
    list_remove(&s->heard_node);
    s->quiet = false;
    if (s->owner != NULL)
        return;
    s->heard_ms = now.mono_ms;
    list_push(&s->room->world->heard_list, &s->heard_node);
}

/* How much of its cap a node offers, in hundredths: little while it is young. */
static uint64_t share_of(const struct node *n, struct moment now)
{
    int64_t age_ms = now.mono_ms - n->alive_since_ms;

    if (age_ms >= NODES_YOUNG_MS)
        return 100;
    return age_ms <= 0 ? 10 : 10 + (uint64_t)(90 * age_ms / NODES_YOUNG_MS);
}

static uint64_t cap_of(const struct node *n)
{
    return n->max_connections == 0 ? CAP_UNTOLD : n->max_connections;
}

/* True when one more shard weighs less on `a` than on `b`. */
static bool is_freer(const struct node *a, const struct node *b, struct moment now)
{
    return (product)(a->capacity + 1) * cap_of(b) * share_of(b, now) <
           (product)(b->capacity + 1) * cap_of(a) * share_of(a, now);
}

static bool has_room(const struct node *n)
{
    return n->capacity < cap_of(n);
}

/* The fuller of those that still have room; without any, the freer. */
static bool is_better_packed(const struct node *a, const struct node *b, struct moment now)
{
    if (has_room(a) != has_room(b))
        return has_room(a);
    if (!has_room(a))
        return is_freer(a, b, now);
    return (product)a->capacity * cap_of(b) > (product)b->capacity * cap_of(a);
}

static enum node_move cause_of(const struct node *n)
{
    return n->state == NODE_ALIVE ? MOVE_DRAIN : MOVE_DEAD;
}

static void place_nodeless(struct registry *r, struct world *w, struct moment now)
{
    LIST_EACH_SAFE (&w->heard_list, it, after) {
        struct shard *s = CONTAINER_OF(it, struct shard, heard_node);
        struct node *to = s->reported ? NULL : nodes_pick(w, now);
        if (to != NULL)
            (void)shard_move(r, s, to, MOVE_PLACED, now);
    }
}

struct node *nodes_pick(struct world *w, struct moment now)
{
    return nodes_pick_other(w, NULL, now);
}

struct node *nodes_pick_other(struct world *w, const struct node *than, struct moment now)
{
    bool packed = w->registry->nodes_packed;
    struct node *best = NULL;

    if (w->nodes.usable == 0)
        return NULL;
    LIST_EACH (&w->nodes.list, it) {
        struct node *n = CONTAINER_OF(it, struct node, in_world);
        if (n->usable && n != than &&
            (best == NULL || (packed ? is_better_packed(n, best, now) : is_freer(n, best, now))))
            best = n;
    }
    return best;
}

void shard_set_owner(struct registry *r, struct shard *s, struct node *n, struct moment now)
{
    struct node *old = s->owner;

    if (old == n)
        return;
    if (old != NULL)
        unlink_owner(s);
    if (n != NULL)
        link_owner(s, n);
    hear_by_owner(s, now);
    if (old != NULL) {
        struct holding *h = holding_of(old, s);
        if (h != NULL && !h->is_lost && h->open == 0 && h->returning == 0)
            holding_free(r, h);
        node_refresh(r, old);
    }
    registry_reindex(r, s);
    r->watch.shard_changed(r->watch.ctx, s, SHARD_OWNER);
}

void shard_restore_owner(struct registry *r, struct shard *s, struct node *n)
{
    assert(s->owner == NULL && n != NULL);
    link_owner(s, n);
    list_remove(&s->heard_node);
    registry_reindex(r, s);
}

void shard_order_changed(struct registry *r, struct shard *s)
{
    struct node *n = s->owner;

    (void)r;
    if (n == NULL)
        return;
    s->order_version = n->version_of_orders = ++n->world->nodes.version;
    list_remove(&s->in_owner);
    list_push(&n->owned, &s->in_owner);
}

void room_order_changed(struct registry *r, struct room *room)
{
    struct candidate *c;

    for (uint32_t at = 0; (c = candidates_next(&room->candidates, &at)) != NULL;) {
        struct shard *s = shard_of_candidate(c);
        shard_order_changed(r, s);
        LIST_EACH (&s->holdings, it) {
            struct holding *h = CONTAINER_OF(it, struct holding, in_shard);
            if (h->node != s->owner)
                holding_order_changed(h);
        }
    }
}

bool shard_move(struct registry *r, struct shard *s, struct node *to, enum node_move why,
                struct moment now)
{
    struct node *from = s->owner;
    struct holding *h = from == NULL ? NULL : holding_of(from, s);
    struct span from_id = {0};

    if (from != NULL)
        from_id = from->id;
    if (h != NULL && from->state != NODE_ALIVE)
        h->taken = true;
    /* Its clients are on their way, unless the node is heard again. */
    if (h != NULL && (from->state != NODE_ALIVE || why == MOVE_UNREACHABLE) &&
        holding_lose(r, h, now))
        return true;
    r->node_stats.moves[why]++;
    log_debug("shard.moved", "shard=%.*s from=%.*s to=%.*s cause=%s", SPAN_ARG(s->id),
              SPAN_ARG(from_id), SPAN_ARG(to->id), node_move_names[why]);
    shard_set_owner(r, s, to, now);
    /* Its earlier node will never say how many they were; the new one has none of them. */
    return s->is_told && !s->reported && shard_lose_told(r, s, now);
}

size_t nodes_evacuate(struct registry *r, struct node *n, struct moment now)
{
    struct node *to;

    if (world_is_settling(n->world, now))
        return n->owned_count;
    LIST_EACH_SAFE (&n->owned, it, after) {
        to = nodes_pick(n->world, now);
        if (to == NULL || to == n)
            break;
        (void)shard_move(r, CONTAINER_OF(it, struct shard, in_owner), to, cause_of(n), now);
    }
    return n->owned_count;
}

/* Its shards move when clients ask for them: it fell silent with many others, or it was stored and
 * has not come back while the world waited for it. */
static bool is_given_up(const struct node *n, struct moment now)
{
    return n != NULL && (n->held || (n->is_expected && !world_is_settling(n->world, now)));
}

bool nodes_release_room(struct registry *r, struct room *room, struct moment now)
{
    struct world *w = room->world;
    struct candidate *c;
    uint32_t at = 0;
    bool moved = false;

    if (w->nodes.held + w->nodes.expected == 0 || w->nodes.usable == 0)
        return false;
    while ((c = candidates_next(&room->candidates, &at)) != NULL) {
        struct shard *s = shard_of_candidate(c);
        struct node *to = is_given_up(s->owner, now) ? nodes_pick(w, now) : NULL;
        if (to == NULL)
            continue;
        (void)shard_move(r, s, to, MOVE_ASKED, now);
        moved = true;
    }
    return moved;
}

void nodes_place_strays(struct registry *r, struct world *w, struct moment now)
{
    w->nodes.strays = world_is_settling(w, now);
    if (w->nodes.strays)
        return;
    place_nodeless(r, w, now);
    LIST_EACH (&w->nodes.list, it) {
        struct node *n = CONTAINER_OF(it, struct node, in_world);
        bool waits = n->state == NODE_DEAD ? !n->held : n->draining || n->drain_ordered;
        if (waits && n->owned_count > 0)
            (void)nodes_evacuate(r, n, now);
    }
}

void node_forget_drops(struct node *n, int64_t version)
{
    for (struct list *it; (it = list_first(&n->drops)) != NULL; n->drop_count--) {
        struct drop *d = CONTAINER_OF(it, struct drop, node);
        if (d->version > version)
            return;
        list_remove(it);
        span_free(d->id);
        free(d);
    }
}

bool node_next_drop(const struct node *n, struct list **at, struct span *id)
{
    *at = *at == NULL ? list_first(&n->drops) : (*at)->next;
    if (*at == NULL || *at == &n->drops)
        return false;
    *id = CONTAINER_OF(*at, struct drop, node)->id;
    return true;
}

void shard_count_at_owner(struct registry *r, struct shard *s)
{
    struct node *n = s->owner;

    n->capacity = n->capacity - s->weight_there + weight_of(s);
    s->weight_there = weight_of(s);
    if (s->reserved == s->reserved_there)
        return;
    n->reserved = n->reserved - s->reserved_there + s->reserved;
    s->reserved_there = s->reserved;
    node_refresh(r, n);
}

void shard_leave_nodes(struct registry *r, struct shard *s)
{
    struct node *old = s->owner;

    if (old != NULL)
        unlink_owner(s);
    crowd_leave_shard(r, s);
    while (!list_empty(&s->holdings))
        holding_free(r, CONTAINER_OF(list_first(&s->holdings), struct holding, in_shard));
    if (old != NULL)
        node_refresh(r, old);
}

void node_check_sums(const struct node *n)
{
    uint64_t capacity = 0, reserved = 0, count = 0;

    if (n->owned_count > CHECK_MAX)
        return;
    LIST_EACH (&n->owned, it) {
        const struct shard *s = CONTAINER_OF(it, struct shard, in_owner);
        assert(s->owner == n);
        count++;
        capacity += s->weight_there;
        reserved += s->reserved_there;
    }
    assert(count == n->owned_count && capacity == n->capacity && reserved == n->reserved);
}
