#pragma once
/* The candidate index of one room: its shards in creation order, with the k-th selectable one, the
 * least used, the fullest and the one that has a key found in O(log n).
 *
 * An implicit binary tree lies over the creation slots (root 1, children of i are 2i and 2i + 1,
 * the leaf of slot s is width + s). A node holds how many selectable candidates lie below it and
 * which of them is the least used (absolute) and which the fullest (used / cap), the oldest on
 * ties. A removed candidate leaves a hole; holes are squeezed out when they outnumber the live, so
 * the order of the others never changes.
 * The all-zero struct is valid and empty. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "world/core/rooms/rendezvous.h"

/* Embedded in what is indexed. */
struct candidate {
    uint64_t name; /* set by the owner before it is added: a stable hash of what it is called */
    uint32_t slot;
    uint32_t point; /* in the rendezvous */
};

struct candidate_slot {
    struct candidate *who; /* NULL: a hole */
    uint64_t used, cap;
    bool selectable;
};

struct candidate_node {
    uint32_t count; /* selectable ones below */
    /* Slots; only valid when count > 0. */
    uint32_t least;
    uint32_t fullest;
};

struct candidates {
    struct candidate_slot *slots;
    struct candidate_node *nodes; /* 2 × width; [0] is not used */
    uint32_t width;               /* slots that the tree covers: 0 or a power of two */
    uint32_t len;                 /* slots in use, holes included */
    uint32_t live;
    struct rendezvous keys; /* of candidates, by their names */
};

/* Adds the youngest, with `used` of `cap` seats taken. A selectable one has a cap above 0. */
void candidates_add(struct candidates *c, struct candidate *who, uint64_t used, uint64_t cap,
                    bool selectable);
void candidates_set(struct candidates *c, struct candidate *who, uint64_t used, uint64_t cap,
                    bool selectable);
/* May move others to other slots (in the same order). */
void candidates_remove(struct candidates *c, struct candidate *who);
void candidates_clear(struct candidates *c);

/* How many are selectable. */
static inline uint32_t candidates_count(const struct candidates *c)
{
    return c->width == 0 ? 0 : c->nodes[1].count;
}
/* The k-th selectable one in creation order; k < candidates_count. */
struct candidate *candidates_nth(const struct candidates *c, uint32_t k);
/* The least used selectable one, the oldest on ties; NULL when none is selectable. */
struct candidate *candidates_least(const struct candidates *c);
/* The selectable one with the largest used / cap, the oldest on ties; NULL when none is selectable.
 */
struct candidate *candidates_fullest(const struct candidates *c);
/* Whether `a` has a larger used / cap than `b`. Both have a cap above 0. */
bool candidates_is_fuller(const struct candidates *c, const struct candidate *a,
                          const struct candidate *b);
/* The selectable one that has the key (rendezvous.h); NULL when none is selectable. The same key
 * gets the same one while the set of selectable names stays. */
struct candidate *candidates_hashed(const struct candidates *c, uint64_t key);
/* Walks all, selectable or not, in creation order: start with *at = 0; NULL at the end. */
struct candidate *candidates_next(const struct candidates *c, uint32_t *at);

/* Asserts that the tree says what the slots say: everywhere when the index is small, else along the
 * path of `who` (NULL: none). */
void candidates_check(const struct candidates *c, const struct candidate *who);
