/* The tree over a room's creation slots. Knows nothing of shards: only numbers and order. */
#include "world/core/rooms/candidates.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"

enum { CHECK_ALL_MAX = 128 }; /* larger trees are checked along one path */

/* The product of two counts. */
__extension__ typedef unsigned __int128 product;

/* Whether a has the larger used / cap: no fraction is rounded and none overflows. */
static bool is_fuller(const struct candidate_slot *a, const struct candidate_slot *b)
{
    return (product)a->used * b->cap > (product)b->used * a->cap;
}

/* What node `at` must say, given its children. */
static struct candidate_node join(const struct candidates *c, uint32_t at)
{
    const struct candidate_node *left = &c->nodes[(size_t)2 * at];
    const struct candidate_node *right = &c->nodes[(size_t)2 * at + 1];

    if (right->count == 0)
        return *left;
    if (left->count == 0)
        return *right;

    bool left_least = c->slots[left->least].used <= c->slots[right->least].used;
    bool right_fullest = is_fuller(&c->slots[right->fullest], &c->slots[left->fullest]);
    return (struct candidate_node){
        .count = left->count + right->count,
        .least = left_least ? left->least : right->least,
        .fullest = right_fullest ? right->fullest : left->fullest,
    };
}

static struct candidate_node leaf_of(const struct candidates *c, uint32_t slot)
{
    bool selectable = slot < c->len && c->slots[slot].who != NULL && c->slots[slot].selectable;

    return (struct candidate_node){.count = selectable, .least = slot, .fullest = slot};
}

static bool names(const struct candidate_node *node, uint32_t slot)
{
    return node->least == slot || node->fullest == slot;
}

/* Carries a changed slot up. Stops where the count stays and the node does not, and did not, name
 * the slot: then it says what it said, of others, and nothing above can tell the difference. */
static void carry_up(struct candidates *c, uint32_t slot)
{
    uint32_t at = c->width + slot;

    c->nodes[at] = leaf_of(c, slot);
    for (at /= 2; at >= 1; at /= 2) {
        struct candidate_node old = c->nodes[at];
        c->nodes[at] = join(c, at);
        if (old.count == c->nodes[at].count && !names(&old, slot) && !names(&c->nodes[at], slot))
            return;
    }
}

/* A new tree over `width` slots, built from the leaves up. */
static void rebuild(struct candidates *c, uint32_t width)
{
    assert(c->len <= width && (width & (width - 1)) == 0);
    c->slots = xreallocarray(c->slots, width, sizeof(*c->slots));
    c->nodes = xreallocarray(c->nodes, (size_t)width * 2, sizeof(*c->nodes));
    c->width = width;
    c->nodes[0] = (struct candidate_node){0};
    for (uint32_t slot = 0; slot < width; slot++)
        c->nodes[width + slot] = leaf_of(c, slot);
    for (uint32_t at = width - 1; at >= 1; at--)
        c->nodes[at] = join(c, at);
}

static void squeeze(struct candidates *c)
{
    uint32_t to = 0, width = 1;

    for (uint32_t from = 0; from < c->len; from++) {
        if (c->slots[from].who == NULL)
            continue;
        c->slots[to] = c->slots[from];
        c->slots[to].who->slot = to;
        to++;
    }
    assert(to == c->live);
    c->len = to;
    while (width < c->len)
        width *= 2;
    rebuild(c, width);
}

void candidates_add(struct candidates *c, struct candidate *who, uint64_t used, uint64_t cap,
                    bool selectable)
{
    assert(cap > 0 || !selectable);
    if (c->len == c->width)
        rebuild(c, c->width == 0 ? 1 : c->width * 2);
    who->slot = c->len++;
    c->slots[who->slot] =
        (struct candidate_slot){.who = who, .used = used, .cap = cap, .selectable = selectable};
    c->live++;
    carry_up(c, who->slot);
    who->point = rendezvous_add(&c->keys, who, who->name);
    rendezvous_set(&c->keys, who->point, selectable);
}

void candidates_set(struct candidates *c, struct candidate *who, uint64_t used, uint64_t cap,
                    bool selectable)
{
    struct candidate_slot *slot = &c->slots[who->slot];

    assert(slot->who == who && (cap > 0 || !selectable));
    if (slot->used == used && slot->cap == cap && slot->selectable == selectable)
        return;
    slot->used = used;
    slot->cap = cap;
    slot->selectable = selectable;
    carry_up(c, who->slot);
    rendezvous_set(&c->keys, who->point, selectable);
}

void candidates_remove(struct candidates *c, struct candidate *who)
{
    struct candidate_slot *slot = &c->slots[who->slot];

    assert(slot->who == who);
    slot->who = NULL;
    c->live--;
    carry_up(c, who->slot);
    rendezvous_remove(&c->keys, who->point);
    if (c->len - c->live > c->live)
        squeeze(c);
}

void candidates_clear(struct candidates *c)
{
    free(c->slots);
    free(c->nodes);
    rendezvous_clear(&c->keys);
    *c = (struct candidates){0};
}

struct candidate *candidates_nth(const struct candidates *c, uint32_t k)
{
    uint32_t at = 1;

    assert(k < candidates_count(c));
    while (at < c->width) {
        at *= 2;
        if (k >= c->nodes[at].count) {
            k -= c->nodes[at].count;
            at++;
        }
    }
    return c->slots[at - c->width].who;
}

struct candidate *candidates_least(const struct candidates *c)
{
    if (candidates_count(c) == 0)
        return NULL;
    return c->slots[c->nodes[1].least].who;
}

struct candidate *candidates_fullest(const struct candidates *c)
{
    if (candidates_count(c) == 0)
        return NULL;
    return c->slots[c->nodes[1].fullest].who;
}

bool candidates_is_fuller(const struct candidates *c, const struct candidate *a,
                          const struct candidate *b)
{
    return is_fuller(&c->slots[a->slot], &c->slots[b->slot]);
}

struct candidate *candidates_hashed(const struct candidates *c, uint64_t key)
{
    return rendezvous_choose(&c->keys, key);
}

struct candidate *candidates_next(const struct candidates *c, uint32_t *at)
{
    while (*at < c->len) {
        struct candidate *who = c->slots[(*at)++].who;
        if (who != NULL)
            return who;
    }
    return NULL;
}

static void check_node(const struct candidates *c, uint32_t at)
{
    struct candidate_node want = at >= c->width ? leaf_of(c, at - c->width) : join(c, at);

    assert(c->nodes[at].count == want.count);
    assert(want.count == 0 || c->nodes[at].least == want.least);
    assert(want.count == 0 || c->nodes[at].fullest == want.fullest);
}

void candidates_check(const struct candidates *c, const struct candidate *who)
{
    assert(c->live <= c->len && c->len <= c->width);
    assert(c->len - c->live <= c->live);
    assert(rendezvous_count(&c->keys) == candidates_count(c));
    if (who != NULL)
        rendezvous_check(&c->keys, who->point, who, c->slots[who->slot].selectable);
    if (c->width <= CHECK_ALL_MAX) {
        for (uint32_t at = 1; at < 2 * c->width; at++)
            check_node(c, at);
        return;
    }
    if (who == NULL)
        return;
    assert(c->slots[who->slot].who == who);
    for (uint32_t at = c->width + who->slot; at >= 1; at /= 2)
        check_node(c, at);
}
