/* Rewrites JSON texts that are known to be good. What is not ASCII stands in strings only. */
#include "common/proto/json_ascii.h"

/* The character that begins at *at, which is moved behind it. */
static uint32_t next_character(struct span utf8, size_t *at)
{
    unsigned char lead = (unsigned char)utf8.ptr[(*at)++];
    if (lead < 0x80)
        return lead;
    unsigned more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    uint32_t c = lead & (0x3Fu >> more);
    for (; more > 0 && *at < utf8.len; more--)
        c = c << 6 | ((unsigned char)utf8.ptr[(*at)++] & 0x3Fu);
    return c;
}

static void add_escape(struct buf *out, uint32_t c)
{
    if (c > 0xFFFF) {
        c -= 0x10000;
        buf_addf(out, "\\u%04x\\u%04x", 0xD800 + (c >> 10), 0xDC00 + (c & 0x3FF));
    } else {
        buf_addf(out, "\\u%04x", c);
    }
}

void json_ascii_add(struct buf *out, struct span json)
{
    bool in_string = false;
    for (size_t at = 0; at < json.len;) {
        uint32_t c = next_character(json, &at);
        if (c > 0x7E)
            add_escape(out, c);
        else if (in_string || c > ' ')
            buf_add_char(out, (char)c);
        if (c == '\\') /* in strings only; what follows is one ASCII character at least */
            buf_add_char(out, json.ptr[at++]);
        else if (c == '"')
            in_string = !in_string;
    }
}
