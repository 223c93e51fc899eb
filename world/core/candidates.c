/* The tree over a room's creation slots. Knows nothing of shards: only numbers and order. */
#include "world/core/candidates.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"

enum { CHECK_ALL_MAX = 128 }; /* larger trees are checked along one path */

/* What node `at` must say, given its children. */
static struct candidate_node join(const struct candidates *c, uint32_t at)
{
    const struct candidate_node *left = &c->nodes[(size_t)2 * at];
    const struct candidate_node *right = &c->nodes[(size_t)2 * at + 1];

    if (right->count == 0)
        return *left;
    if (left->count == 0)
        return *right;
    return (struct candidate_node){
        .count = left->count + right->count,
        .best = c->slots[left->best].used <= c->slots[right->best].used ? left->best : right->best,
    };
}

static struct candidate_node leaf_of(const struct candidates *c, uint32_t slot)
{
    bool selectable = slot < c->len && c->slots[slot].who != NULL && c->slots[slot].selectable;

    return (struct candidate_node){.count = selectable, .best = slot};
}

/* Carries a changed slot up. Stops where the slot is not, and was not, the best and the count
 * stays: nothing above can tell the difference. */
static void carry_up(struct candidates *c, uint32_t slot)
{
    uint32_t at = c->cap + slot;

    c->nodes[at] = leaf_of(c, slot);
    for (at /= 2; at >= 1; at /= 2) {
        struct candidate_node old = c->nodes[at];
        c->nodes[at] = join(c, at);
        if (old.count == c->nodes[at].count && old.best != slot && c->nodes[at].best != slot)
            return;
    }
}

/* A new tree over `cap` slots, built from the leaves up. */
static void rebuild(struct candidates *c, uint32_t cap)
{
    assert(c->len <= cap && (cap & (cap - 1)) == 0);
    c->slots = xreallocarray(c->slots, cap, sizeof(*c->slots));
    c->nodes = xreallocarray(c->nodes, (size_t)cap * 2, sizeof(*c->nodes));
    c->cap = cap;
    c->nodes[0] = (struct candidate_node){0};
    for (uint32_t slot = 0; slot < cap; slot++)
        c->nodes[cap + slot] = leaf_of(c, slot);
    for (uint32_t at = cap - 1; at >= 1; at--)
        c->nodes[at] = join(c, at);
}

static void squeeze(struct candidates *c)
{
    uint32_t to = 0, cap = 1;

    for (uint32_t from = 0; from < c->len; from++) {
        if (c->slots[from].who == NULL)
            continue;
        c->slots[to] = c->slots[from];
        c->slots[to].who->slot = to;
        to++;
    }
    assert(to == c->live);
    c->len = to;
    while (cap < c->len)
        cap *= 2;
    rebuild(c, cap);
}

void candidates_add(struct candidates *c, struct candidate *who, uint64_t used, bool selectable)
{
    if (c->len == c->cap)
        rebuild(c, c->cap == 0 ? 1 : c->cap * 2);
    who->slot = c->len++;
    c->slots[who->slot] =
        (struct candidate_slot){.who = who, .used = used, .selectable = selectable};
    c->live++;
    carry_up(c, who->slot);
}

void candidates_set(struct candidates *c, struct candidate *who, uint64_t used, bool selectable)
{
    struct candidate_slot *slot = &c->slots[who->slot];

    assert(slot->who == who);
    if (slot->used == used && slot->selectable == selectable)
        return;
    slot->used = used;
    slot->selectable = selectable;
    carry_up(c, who->slot);
}

void candidates_remove(struct candidates *c, struct candidate *who)
{
    struct candidate_slot *slot = &c->slots[who->slot];

    assert(slot->who == who);
    slot->who = NULL;
    c->live--;
    carry_up(c, who->slot);
    if (c->len - c->live > c->live)
        squeeze(c);
}

void candidates_clear(struct candidates *c)
{
    free(c->slots);
    free(c->nodes);
    *c = (struct candidates){0};
}

struct candidate *candidates_nth(const struct candidates *c, uint32_t k)
{
    uint32_t at = 1;

    assert(k < candidates_count(c));
    while (at < c->cap) {
        at *= 2;
        if (k >= c->nodes[at].count) {
            k -= c->nodes[at].count;
            at++;
        }
    }
    return c->slots[at - c->cap].who;
}

struct candidate *candidates_least(const struct candidates *c)
{
    if (candidates_count(c) == 0)
        return NULL;
    return c->slots[c->nodes[1].best].who;
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
    struct candidate_node want = at >= c->cap ? leaf_of(c, at - c->cap) : join(c, at);

    assert(c->nodes[at].count == want.count);
    assert(want.count == 0 || c->nodes[at].best == want.best);
}

void candidates_check(const struct candidates *c, const struct candidate *who)
{
    assert(c->live <= c->len && c->len <= c->cap);
    assert(c->len - c->live <= c->live);
    if (c->cap <= CHECK_ALL_MAX) {
        for (uint32_t at = 1; at < 2 * c->cap; at++)
            check_node(c, at);
        return;
    }
    if (who == NULL)
        return;
    assert(c->slots[who->slot].who == who);
    for (uint32_t at = c->cap + who->slot; at >= 1; at /= 2)
        check_node(c, at);
}
