#pragma once
/* Keeps keys with the same member of a changing set: weighted rendezvous hashing down a tree.
 *
 * Members stand in a binary trie by their names (64 bits, evenly spread), without nodes that have
 * one child, so about log2 n deep. At each node a hash of (key, node) chooses the side: left when
 * it falls into left's share of the selectable members, compared in integers. The shares only move
 * the border between the sides, so
 * - keys are spread evenly over the selectable;
 * - when a member goes, or stops being selectable, keys move out of the halves that held it and
 *   never into them: of all keys about (1 + log2 n) / 2n move, of 100 members 3.2 %;
 * - the choice depends on the key and the set of selectable names alone, not on the order in which
 *   they came, on those that were there before, or on the process.
 * The all-zero struct is valid and empty. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nodes are named by their index; 0 is none. */
struct rendezvous_node {
    void *member;      /* NULL: an inner node */
    uint64_t name;     /* inner: the bits above `bit` that all below share */
    uint64_t salt;     /* inner: what keys are hashed with */
    uint32_t count;    /* selectable members at or below */
    uint32_t parent;   /* of a free node: the next free one */
    uint32_t child[2]; /* inner: by the bit of their names */
    uint8_t bit;       /* inner: where the names below first differ, 63 to 0 */
};

struct rendezvous {
    struct rendezvous_node *nodes; /* [0] is not used */
    uint32_t root;
    uint32_t len, cap; /* nodes in use or free; nodes that there is memory for */
    uint32_t unused;   /* the first free node */
};

/* Adds a member (borrowed, never looked at), not selectable yet, under `name` or the next name that
 * is free. Answers its point, which the others take. */
uint32_t rendezvous_add(struct rendezvous *r, void *member, uint64_t name);
void rendezvous_set(struct rendezvous *r, uint32_t point, bool selectable);
void rendezvous_remove(struct rendezvous *r, uint32_t point);
void rendezvous_clear(struct rendezvous *r);

/* The member that has the key (64 bits, evenly spread); NULL when none is selectable. O(log n). */
void *rendezvous_choose(const struct rendezvous *r, uint64_t key);

/* How many are selectable. */
static inline uint32_t rendezvous_count(const struct rendezvous *r)
{
    return r->root == 0 ? 0 : r->nodes[r->root].count;
}
/* Asserts what must be true of the member and of the nodes above it. */
void rendezvous_check(const struct rendezvous *r, uint32_t point, const void *member,
                      bool selectable);
