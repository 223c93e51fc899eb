#pragma once
/* Hash map from text to pointers: open addressing, SipHash-1-3 with a random key, because
 * strangers choose the keys. The all-zero struct is valid and empty.
 * Keys are borrowed: they must live, unmoved, as long as their entry (normally inside the value).
 */
#include "common/base/span.h"

struct map_entry {
    struct span key; /* key.ptr == NULL: free */
    uint64_t hash;
    void *value;
};

struct map {
    struct map_entry *entries;
    size_t count;
    size_t cap;
};

/* The value, or NULL. */
void *map_get(const struct map *m, struct span key);
/* Adds the pair; the key must not be there yet (asserted). `value` is not NULL. */
void map_add(struct map *m, struct span key, void *value);
/* Takes the pair out; answers its value, or NULL when there was none. */
void *map_remove(struct map *m, struct span key);
/* Frees the table, not the values. */
void map_clear(struct map *m);
/* Walks all entries in no order: start with *at = 0; NULL at the end. No changes meanwhile. */
struct map_entry *map_next(const struct map *m, size_t *at);
/* The process-wide keyed hash. */
uint64_t map_hash(struct span key);
