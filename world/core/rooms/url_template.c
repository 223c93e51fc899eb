/* Substitution in URL templates. The second placeholder is looked for behind the first
 * substitution, as clients of the reference expect. */
#include "world/core/rooms/url_template.h"

static void replace_first(struct buf *out, struct span text, struct span what, struct span with)
{
    const char *at = text.len == 0 ? NULL : memmem(text.ptr, text.len, what.ptr, what.len);

    if (at == NULL) {
        buf_add_span(out, text);
        return;
    }
    size_t before = (size_t)(at - text.ptr);
    buf_add_span(out, span_slice(text, 0, before));
    buf_add_span(out, with);
    buf_add_span(out, span_slice(text, before + what.len, text.len));
}

void url_template_fill(struct buf *out, struct span text, struct span shard_id, struct span room)
{
    struct buf half = {0};

    replace_first(&half, text, SPAN("{shardId}"), shard_id);
    replace_first(out, buf_span(&half), SPAN("{roomId}"), room);
    buf_clear(&half);
}
