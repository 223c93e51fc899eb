/* Knows ranges, no locale: the same everywhere. */
#include "world/ctl/glyph.h"

enum { REPLACEMENT = 0xfffd };

struct range {
    uint32_t first, last;
};

/* No columns of their own. */
static const struct range joined[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
    {0x200b, 0x200d}, {0x20d0, 0x20f0}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
};

static const struct range wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
    {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

static const struct range acting[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0x061c, 0x061c}, {0x200e, 0x200f},
    {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
};

static bool within(const struct range *ranges, size_t count, uint32_t c)
{
    for (size_t i = 0; i < count; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}
#define WITHIN(ranges, c) within(ranges, sizeof(ranges) / sizeof((ranges)[0]), c)

/* How many bytes the first byte promises; 0: none begins so. */
static size_t length_of(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

uint32_t glyph_take(struct span *rest)
{
    uint8_t first = (uint8_t)rest->ptr[0];
    size_t len = length_of(first);
    bool whole = len > 0 && len <= rest->len && span_is_utf8(span_slice(*rest, 0, len));
    if (!whole)
        len = 1;
    uint32_t c = len == 1 ? first : first & (0x7fu >> len);
    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((uint8_t)rest->ptr[i] & 0x3fu);
    *rest = span_slice(*rest, len, rest->len);
    return whole ? c : REPLACEMENT;
}

bool glyph_acts(uint32_t c)
{
    return WITHIN(acting, c);
}

uint32_t glyph_next(struct span *rest)
{
    uint32_t c = glyph_take(rest);
    return glyph_acts(c) ? REPLACEMENT : c;
}

int glyph_columns(uint32_t c)
{
    if (WITHIN(joined, c))
        return 0;
    return WITHIN(wide, c) ? 2 : 1;
}

void glyph_add(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_add_char(out, (char)c);
        return;
    }
    if (c < 0x800) {
        buf_add_char(out, (char)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            buf_add_char(out, (char)(0xe0 | c >> 12));
        } else {
            buf_add_char(out, (char)(0xf0 | c >> 18));
            buf_add_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
        }
        buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
    }
    buf_add_char(out, (char)(0x80 | (c & 0x3f)));
}

int glyph_width(struct span text)
{
    int columns = 0;
    while (text.len > 0)
        columns += glyph_columns(glyph_next(&text));
    return columns;
}
