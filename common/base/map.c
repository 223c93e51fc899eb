/* The hash map: linear probing in a table whose size is a power of two, at most three quarters
 * full, and deletion that shifts back what follows, so that there are no tombstones and a look-up
 * ends at the first free entry. The hash is SipHash-1-3 (Aumasson and Bernstein, 2012) under a key
 * drawn once per process: strangers cannot choose keys that collide. */
#include "common/base/map.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/rng.h"

enum { MAP_CAP_MIN = 8 };

/* The one global of this layer: without it every map would carry a key of its own. */
static struct {
    uint64_t k0, k1;
    bool drawn;
} map_key;

static inline uint64_t rotl(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] = rotl(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] = rotl(v[2], 32);
}

static uint64_t sip13(uint64_t k0, uint64_t k1, struct span s)
{
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                     k1 ^ 0x7465646279746573u};
    const char *at = s.ptr;
    size_t left = s.len;
    for (uint64_t word; left >= 8; at += 8, left -= 8) {
        memcpy(&word, at, 8);
        word = le64toh(word);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = 0;
    if (left > 0)
        memcpy(&last, at, left);
    last = le64toh(last) | (uint64_t)s.len << 56;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xFF;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The entry that holds the key, or the free one where it would stand. */
static struct map_entry *map_find(const struct map *m, struct span key, uint64_t hash)
{
    size_t mask = m->cap - 1, i = hash & mask;
    while (m->entries[i].key.ptr != NULL) {
        if (m->entries[i].hash == hash && span_eq(m->entries[i].key, key))
            break;
        i = (i + 1) & mask;
    }
    return &m->entries[i];
}

static void map_grow(struct map *m)
{
    struct map old = *m;
    m->cap = old.cap == 0 ? MAP_CAP_MIN : old.cap * 2;
    m->entries = xcalloc(m->cap, sizeof *m->entries);
    size_t mask = m->cap - 1;
    for (size_t at = 0; at < old.cap; at++) {
        struct map_entry *e = &old.entries[at];
        if (e->key.ptr == NULL)
            continue;
        size_t i = e->hash & mask;
        while (m->entries[i].key.ptr != NULL)
            i = (i + 1) & mask;
        m->entries[i] = *e;
    }
    free(old.entries);
}

/* Fills the hole at `hole` with what was pushed past it. */
static void map_shift_back(struct map *m, size_t hole)
{
    size_t mask = m->cap - 1;
    for (size_t i = (hole + 1) & mask; m->entries[i].key.ptr != NULL; i = (i + 1) & mask) {
        size_t home = m->entries[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask))
            continue; /* its home lies behind the hole */
        m->entries[hole] = m->entries[i];
        hole = i;
    }
    m->entries[hole] = (struct map_entry){.value = NULL};
}

void *map_get(const struct map *m, struct span key)
{
    return m->count == 0 ? NULL : map_find(m, key, map_hash(key))->value;
}

void map_add(struct map *m, struct span key, void *value)
{
    assert(value != NULL);
    if ((m->count + 1) * 4 > m->cap * 3)
        map_grow(m);
    if (key.ptr == NULL)
        key.ptr = ""; /* NULL marks a free entry */
    uint64_t hash = map_hash(key);
    struct map_entry *e = map_find(m, key, hash);
    assert(e->key.ptr == NULL);
    *e = (struct map_entry){.key = key, .hash = hash, .value = value};
    m->count++;
}

void *map_remove(struct map *m, struct span key)
{
    if (m->count == 0)
        return NULL;
    struct map_entry *e = map_find(m, key, map_hash(key));
    void *value = e->value;
    if (value == NULL)
        return NULL;
    m->count--;
    map_shift_back(m, (size_t)(e - m->entries));
    return value;
}

void map_clear(struct map *m)
{
    free(m->entries);
    *m = (struct map){.entries = NULL};
}

struct map_entry *map_next(const struct map *m, size_t *at)
{
    while (*at < m->cap) {
        struct map_entry *e = &m->entries[(*at)++];
        if (e->key.ptr != NULL)
            return e;
    }
    return NULL;
}

uint64_t map_hash(struct span key)
{
    if (!map_key.drawn) {
        rng_bytes(&map_key.k0, sizeof map_key.k0);
        rng_bytes(&map_key.k1, sizeof map_key.k1);
        map_key.drawn = true;
    }
    return sip13(map_key.k0, map_key.k1, key);
}
