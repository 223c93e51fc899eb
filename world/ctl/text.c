/* Characters as they are shown. */
#include "world/ctl/text.h"

#include "common/base/utf8.h"
#include "world/ctl/glyph.h"

static void add(struct buf *out, uint32_t c, struct span raw)
{
    if (c == '\n')
        BUF_ADD_LIT(out, "\\n");
    else if (c == '\t')
        BUF_ADD_LIT(out, "\\t");
    else if (glyph_acts(c) && c < 0xa0)
        buf_addf(out, "\\x%02x", (unsigned)c);
    else if (glyph_acts(c))
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
        uint32_t c = glyph_take(&rest);
        add(out, c, span_slice(from, 0, from.len - rest.len));
    }
    buf_clear(&good);
}

/* What is below a blank, jansson's writer has escaped; blanks between members stay. */
void text_add_json(struct buf *out, struct span json)
{
    while (json.len > 0) {
        struct span from = json;
        uint32_t c = glyph_take(&json);
        if (c >= 0x7f && glyph_acts(c))
            buf_addf(out, "\\u%04x", (unsigned)c);
        else
            buf_add_span(out, span_slice(from, 0, from.len - json.len));
    }
}
