/* Strict: each run of bytes has one text, and each text that is taken is one that we would write.
 */
#include "common/base/base64url.h"

void base64url_add(struct buf *out, struct span s)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < s.len; i++) {
        bits = (bits << 8 | (unsigned char)s.ptr[i]) & 0xFFFF;
        for (have += 8; have >= 6; have -= 6)
            buf_add_char(out, alphabet[bits >> (have - 6) & 63]);
    }
    if (have > 0)
        buf_add_char(out, alphabet[bits << (6 - have) & 63]);
}

/* The value of a character of the alphabet, or -1. */
static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

enum err base64url_decode(struct buf *out, struct span text)
{
    uint32_t bits = 0;
    unsigned have = 0;
    if (text.len == 0 || text.len % 4 == 1)
        return ERR_SYNTAX;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.ptr[i]);
        if (value < 0)
            return ERR_SYNTAX;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have >= 8) {
            have -= 8;
            buf_add_char(out, (char)(unsigned char)(bits >> have));
            bits &= (1u << have) - 1;
        }
    }
    return bits == 0 ? ERR_OK : ERR_SYNTAX;
}
