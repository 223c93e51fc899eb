/* The trie of names and the way down it. Nodes lie in one array and refer to each other by index;
 * a member brings one leaf and, unless it is the first, one inner node. */
#include "world/core/rooms/rendezvous.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/stable_hash.h"

enum { NODES_MIN = 4, NAME_BITS = 64 };

/* The product of a hash and a count. */
__extension__ typedef unsigned __int128 product;

static uint32_t take_node(struct rendezvous *r)
{
    uint32_t at = r->unused;

    if (at != 0) {
        r->unused = r->nodes[at].parent;
        return at;
    }
    if (r->len == r->cap) {
        r->cap = r->cap == 0 ? NODES_MIN : r->cap * 2;
        r->nodes = xreallocarray(r->nodes, r->cap, sizeof(*r->nodes));
    }
    if (r->len == 0)
        r->nodes[r->len++] = (struct rendezvous_node){0};
    return r->len++;
}

static void give_node(struct rendezvous *r, uint32_t at)
{
    r->nodes[at] = (struct rendezvous_node){.parent = r->unused};
    r->unused = at;
}

static unsigned side_of(uint64_t name, unsigned bit)
{
    return (unsigned)(name >> bit & 1);
}

static uint64_t bits_above(uint64_t name, unsigned bit)
{
    return name >> bit >> 1 << bit << 1;
}

/* Puts `to` where `from` hangs. */
static void replace(struct rendezvous *r, uint32_t from, uint32_t to)
{
    uint32_t parent = r->nodes[from].parent;

    r->nodes[to].parent = parent;
    if (parent == 0)
        r->root = to;
    else
        r->nodes[parent].child[r->nodes[parent].child[1] == from] = to;
}

/* The leaf of that name, or the node beside which it has to hang. */
static uint32_t find(const struct rendezvous *r, uint64_t name)
{
    uint32_t at = r->root;

    for (;;) {
        const struct rendezvous_node *node = &r->nodes[at];
        if (node->member != NULL || bits_above(name, node->bit) != node->name)
            return at;
        at = node->child[side_of(name, node->bit)];
    }
}

/* Hangs the leaf beside a node: a new inner node takes that one's place and has both below it. */
static void hang(struct rendezvous *r, uint32_t leaf, uint32_t beside)
{
    uint32_t inner = take_node(r);
    struct rendezvous_node *node = &r->nodes[inner];
    uint64_t name = r->nodes[leaf].name;
    unsigned bit = NAME_BITS - 1 - (unsigned)__builtin_clzll(name ^ r->nodes[beside].name);

    *node = (struct rendezvous_node){
        .name = bits_above(name, bit),
        .salt = stable_hash_mix(bits_above(name, bit) + bit + 1),
        .count = r->nodes[beside].count,
        .bit = (uint8_t)bit,
    };
    replace(r, beside, inner);
    node->child[side_of(name, bit)] = leaf;
    node->child[!side_of(name, bit)] = beside;
    r->nodes[leaf].parent = r->nodes[beside].parent = inner;
}

uint32_t rendezvous_add(struct rendezvous *r, void *member, uint64_t name)
{
    uint32_t leaf = take_node(r), beside = 0;

    assert(member != NULL);
    while (r->root != 0) {
        beside = find(r, name);
        if (r->nodes[beside].member == NULL || r->nodes[beside].name != name)
            break;
        name++;
    }
    r->nodes[leaf] = (struct rendezvous_node){.member = member, .name = name};
    if (beside == 0)
        r->root = leaf;
    else
        hang(r, leaf, beside);
    return leaf;
}

void rendezvous_set(struct rendezvous *r, uint32_t point, bool selectable)
{
    if ((r->nodes[point].count == 1) == selectable)
        return;
    for (uint32_t at = point; at != 0; at = r->nodes[at].parent) {
        if (selectable)
            r->nodes[at].count++;
        else
            r->nodes[at].count--;
    }
}

void rendezvous_remove(struct rendezvous *r, uint32_t point)
{
    uint32_t parent = r->nodes[point].parent;

    rendezvous_set(r, point, false);
    if (parent == 0) {
        r->root = 0;
    } else {
        const uint32_t *child = r->nodes[parent].child;
        replace(r, parent, child[child[0] == point]);
        give_node(r, parent);
    }
    give_node(r, point);
}

void rendezvous_clear(struct rendezvous *r)
{
    free(r->nodes);
    *r = (struct rendezvous){0};
}

void *rendezvous_choose(const struct rendezvous *r, uint64_t key)
{
    const struct rendezvous_node *at;

    if (rendezvous_count(r) == 0)
        return NULL;
    at = &r->nodes[r->root];
    while (at->member == NULL) {
        product hash = stable_hash_mix(key ^ at->salt), left = r->nodes[at->child[0]].count;
        bool goes_left = hash * at->count < left << NAME_BITS;
        at = &r->nodes[at->child[goes_left ? 0 : 1]];
    }
    return at->member;
}

void rendezvous_check(const struct rendezvous *r, uint32_t point, const void *member,
                      bool selectable)
{
    const struct rendezvous_node *leaf = &r->nodes[point];

    assert(leaf->member == member && leaf->count == selectable);
    for (uint32_t at = leaf->parent, from = point; at != 0; from = at, at = r->nodes[at].parent) {
        const struct rendezvous_node *node = &r->nodes[at];
        assert(node->child[side_of(leaf->name, node->bit)] == from);
        assert(node->count == r->nodes[node->child[0]].count + r->nodes[node->child[1]].count);
        assert(node->member == NULL && node->name == bits_above(leaf->name, node->bit));
    }
}
