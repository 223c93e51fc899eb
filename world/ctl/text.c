/* Characters as they are shown. */
#include "world/ctl/text.h"

#include <wchar.h>

#include "common/base/utf8.h"

/* Takes a character off valid UTF-8. */
static uint32_t next(struct span *s)
{
    uint8_t first = (uint8_t)s->ptr[0];
    size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t c = len == 1 ? first : first & (0x7fu >> len);

    for (size_t i = 1; i < len && i < s->len; i++)
        c = c << 6 | ((uint8_t)s->ptr[i] & 0x3f);
    *s = span_slice(*s, len, s->len);
    return c;
}

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Marks and overrides of direction, and separators of lines. */
static bool is_trick(uint32_t c)
{
    return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

static void add(struct buf *out, uint32_t c, struct span raw)
{
    if (c == '\n')
        BUF_ADD_LIT(out, "\\n");
    else if (c == '\t')
        BUF_ADD_LIT(out, "\\t");
    else if (is_control(c))
        buf_addf(out, "\\x%02x", (unsigned)c);
    else if (is_trick(c))
        buf_addf(out, "\\u%04x", (unsigned)c);
    else
        buf_add_span(out, raw);
}

void text_add(struct buf *out, struct span s)
{
    struct buf good = {0};
    struct span rest;

    utf8_repair(&good, s);
    rest = buf_span(&good);
    while (rest.len > 0) {
        struct span from = rest;
        uint32_t c = next(&rest);
        add(out, c, span_slice(from, 0, from.len - rest.len));
    }
    buf_clear(&good);
}

/* What is below a blank, jansson's writer has escaped; blanks between members stay. */
void text_add_json(struct buf *out, struct span json)
{
    while (json.len > 0) {
        struct span from = json;
        uint32_t c = next(&json);
        if ((c >= 0x7f && c < 0xa0) || is_trick(c))
            buf_addf(out, "\\u%04x", (unsigned)c);
        else
            buf_add_span(out, span_slice(from, 0, from.len - json.len));
    }
}

size_t text_cells(struct span s)
{
    size_t cells = 0;

    while (s.len > 0) {
        int width = wcwidth((wchar_t)next(&s));
        cells += width < 0 ? 1 : (size_t)width;
    }
    return cells;
}
