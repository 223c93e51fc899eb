#pragma once
/* Sixteen bytes at a time: which of them are of a kind, as a mask (bit i: byte i). With SSE2, which
 * every x86-64 has, or with words. Little-endian words: le64toh turns them. */
#include <endian.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK_LEN = 16 };

/* The first byte of a mask that is not 0. */
static inline size_t block_first(uint32_t mask)
{
    return (size_t)__builtin_ctz(mask);
}

#ifdef __SSE2__

struct block {
    __m128i bytes;
};

static inline struct block block_load(const char *at)
{
    return (struct block){_mm_loadu_si128((const __m128i *)(const void *)at)};
}
static inline void block_store(char *to, struct block b)
{
    _mm_storeu_si128((__m128i *)(void *)to, b.bytes);
}
/* Bytes from 0x80 up. */
static inline uint32_t block_high(struct block b)
{
    return (uint32_t)_mm_movemask_epi8(b.bytes);
}
static inline uint32_t block_equal(struct block b, char c)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(b.bytes, _mm_set1_epi8(c)));
}
/* Bytes below 0x20. */
static inline uint32_t block_control(struct block b)
{
    __m128i top = _mm_set1_epi8(0x1F);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(b.bytes, top), top));
}

#else

struct block {
    uint64_t word[2];
};

#define BLOCK_ONES 0x0101010101010101u

static inline struct block block_load(const char *at)
{
    struct block b;
    memcpy(&b, at, sizeof b);
    return (struct block){{le64toh(b.word[0]), le64toh(b.word[1])}};
}
static inline void block_store(char *to, struct block b)
{
    b = (struct block){{htole64(b.word[0]), htole64(b.word[1])}};
    memcpy(to, &b, sizeof b);
}
/* The high bits of the bytes, brought together. */
static inline uint32_t block_bits(uint64_t word)
{
    return (uint32_t)((word >> 7 & BLOCK_ONES) * 0x0102040810204080u >> 56);
}
/* The high bit of each byte that is 0, and of no other. */
static inline uint64_t block_zero(uint64_t word)
{
    uint64_t low = BLOCK_ONES * 0x7F;
    return ~(((word & low) + low) | word | low);
}
static inline uint32_t block_high(struct block b)
{
    return block_bits(b.word[0]) | block_bits(b.word[1]) << 8;
}
static inline uint32_t block_equal(struct block b, char c)
{
    uint64_t all = BLOCK_ONES * (unsigned char)c;
    return block_bits(block_zero(b.word[0] ^ all)) | block_bits(block_zero(b.word[1] ^ all)) << 8;
}
static inline uint32_t block_control(struct block b)
{
    uint64_t top = BLOCK_ONES * 0xE0;
    return block_bits(block_zero(b.word[0] & top)) | block_bits(block_zero(b.word[1] & top)) << 8;
}

#endif
