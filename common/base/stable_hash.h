#pragma once
/* A hash on which processes agree for ever: unkeyed, the same on every machine and in every
 * version. FNV-1a 64 over bytes, then MurmurHash3's 64 bit finaliser, which mixes the last bytes
 * into all bits. Strangers can choose texts that collide: not for hash maps (map.h is). */
#include "common/base/span.h"

#define STABLE_HASH_START UINT64_C(0xcbf29ce484222325)

/* Goes on with more bytes. */
static inline uint64_t stable_hash_add(uint64_t hash, struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.ptr[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* One to one: different inputs stay different. */
static inline uint64_t stable_hash_mix(uint64_t hash)
{
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ (hash >> 33);
}

/* Of one text. */
static inline uint64_t stable_hash(struct span s)
{
    return stable_hash_mix(stable_hash_add(STABLE_HASH_START, s));
}
