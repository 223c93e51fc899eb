/* UTF-8 as a state machine over bytes. A state says what must follow: how many bytes are missing
 * (bits 0-7), and between which values the next one must lie (bits 8-15 and 16-23); that range is
 * narrower than 80..BF only behind the lead bytes that could begin overlong forms, surrogates or
 * values above U+10FFFF. 0 means: between characters. */
#include "common/base/utf8.h"

#include "common/base/block.h"

#define STATE(missing, low, high) ((missing) | (uint32_t)(low) << 8 | (uint32_t)(high) << 16)

/* An empty range: no byte leads out of it. */
static const uint32_t STATE_BAD = STATE(0u, 1, 0);

static const char REPLACEMENT[] = "\xEF\xBF\xBD"; /* U+FFFD */

static uint32_t utf8_lead(unsigned char c)
{
    if (c < 0x80)
        return 0;
    if (c < 0xC2 || c > 0xF4)
        return STATE_BAD;
    if (c < 0xE0)
        return STATE(1u, 0x80, 0xBF);
    if (c < 0xF0)
        return STATE(2u, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF);
    return STATE(3u, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF);
}

static uint32_t utf8_step(uint32_t state, unsigned char c)
{
    if (state == 0)
        return utf8_lead(c);
    if (c < (state >> 8 & 0xFF) || c > (state >> 16 & 0xFF))
        return STATE_BAD;
    uint32_t missing = (state & 0xFF) - 1;
    return missing == 0 ? 0 : STATE(missing, 0x80, 0xBF);
}

/* How many bytes at the start of [at, end) are ASCII. */
static size_t ascii_run(const char *at, const char *end)
{
    const char *start = at;
    while (end - at >= BLOCK_LEN && block_high(block_load(at)) == 0)
        at += BLOCK_LEN;
    if (at > start && end - at < BLOCK_LEN && block_high(block_load(end - BLOCK_LEN)) == 0)
        return (size_t)(end - start);
    while (at < end && (unsigned char)*at < 0x80)
        at++;
    return (size_t)(at - start);
}

bool utf8_check(uint32_t *state, struct span piece)
{
    if (piece.len == 0)
        return *state != STATE_BAD;
    const char *at = piece.ptr, *end = at + piece.len;
    uint32_t s = *state;
    while (at < end) {
        if (s == 0 && (at += ascii_run(at, end)) == end)
            break;
        s = utf8_step(s, (unsigned char)*at++);
        if (s == STATE_BAD)
            break;
    }
    *state = s;
    return s != STATE_BAD;
}

void utf8_repair(struct buf *out, struct span bytes)
{
    if (bytes.len == 0)
        return;
    const char *at = bytes.ptr, *end = at + bytes.len;
    const char *good = at;  /* start of what is not copied yet */
    const char *begun = at; /* start of the current character */
    uint32_t s = 0;
    while (at < end) {
        s = utf8_step(s, (unsigned char)*at);
        if (s != STATE_BAD) {
            at++;
            begun = s == 0 ? at : begun;
            continue;
        }
        /* The byte that broke a character may begin the next one; one that cannot begin any is
         * replaced itself. */
        buf_add(out, good, (size_t)(begun - good));
        BUF_ADD_LIT(out, REPLACEMENT);
        at = at == begun ? at + 1 : at;
        good = begun = at;
        s = 0;
    }
    buf_add(out, good, (size_t)(begun - good));
    if (s != 0)
        BUF_ADD_LIT(out, REPLACEMENT);
}
