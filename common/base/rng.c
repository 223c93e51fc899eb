/* OpenSSL's generator for what must not be guessed, xoshiro256** (Blackman and Vigna, 2018) for
 * everything else. */
#include "common/base/rng.h"

#include <assert.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t rotl(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

/* splitmix64, which spreads one word over the whole state. */
static uint64_t split_mix(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void rng_bytes(void *out, size_t len)
{
    assert(len <= INT_MAX);
    if (RAND_bytes(out, (int)len) == 1)
        return;
    (void)fprintf(stderr, "the system has no random numbers to give\n");
    abort();
}

void rng_init(struct rng *r)
{
    rng_bytes(r->state, sizeof r->state);
}

void rng_seed(struct rng *r, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++)
        r->state[i] = split_mix(&seed);
}

uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->state;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    assert(n > 0);
    /* 2^64 mod n numbers are left out at the bottom, so that every remainder is as likely. */
    uint64_t cut = (0 - n) % n, x;
    do
        x = rng_next(r);
    while (x < cut);
    return x % n;
}

void rng_alnum(struct rng *r, char *out, size_t len)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    for (size_t i = 0; i < len; i++)
        out[i] = alphabet[rng_below(r, sizeof alphabet - 1)];
}
