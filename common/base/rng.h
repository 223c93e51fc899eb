#pragma once
/* Random numbers. `rng_bytes` is OpenSSL's; a `struct rng` is a fast generator (xoshiro256**) for
 * decisions, masks and jitter, seeded from it or, in tests, by hand. Never for secrets. */
#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state[4];
};

/* Cryptographic. Ends the process when the system has none to give. */
void rng_bytes(void *out, size_t len);
void rng_init(struct rng *r);                /* from rng_bytes */
void rng_seed(struct rng *r, uint64_t seed); /* repeatable */
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n); /* uniform in [0, n); n > 0 */
/* `len` characters of [A-Za-z0-9] (no NUL behind them), uniform. */
void rng_alnum(struct rng *r, char *out, size_t len);
