/* The grammar of shard ids and world ids. Knows no shards. */
#include "common/proto/shard_id.h"

#include <assert.h>

#include "common/proto/ascii.h"

enum { MS_DIGITS = 13, NUMBER_MAX = 9999 };

static bool is_digits(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    }
    return s.len > 0;
}

/* `{13-digit ms}-{0…9999}`, the number without leading zeros. */
static bool is_suffix(struct span s)
{
    size_t dash = span_index(s, '-');
    struct span ms = span_slice(s, 0, dash), number = span_slice(s, dash + 1, s.len);
    if (ms.len != MS_DIGITS || !is_digits(ms) || number.len > 4 || !is_digits(number))
        return false;
    return number.len == 1 || number.ptr[0] != '0';
}

/* Our own form, from the right. */
static bool parse_ours(struct span id, struct shard_id *out)
{
    size_t end = span_rindex(id, ':');
    if (end == id.len || !is_suffix(span_slice(id, end + 1, id.len)))
        return false;
    struct span head = span_slice(id, 0, end);
    size_t colon = span_rindex(head, ':');
    if (colon == head.len)
        return false;
    out->room = span_slice(head, 0, colon);
    out->world = span_slice(head, colon + 1, head.len);
    return world_id_is_valid(out->world);
}

struct shard_id shard_id_parse(struct span id)
{
    struct shard_id out = {0};
    if (parse_ours(id, &out))
        return out;
    size_t first = span_index(id, ':');
    out = (struct shard_id){.room = span_slice(id, 0, first)};
    struct span rest = span_slice(id, first + 1, id.len);
    size_t second = span_index(rest, ':');
    if (second < rest.len)
        out.world = span_slice(rest, 0, second);
    return out;
}

int64_t shard_id_ms(struct span id)
{
    struct span suffix = span_slice(id, span_rindex(id, ':') + 1, id.len);
    uint64_t ms;
    if (!is_suffix(suffix) || span_to_u64(span_slice(suffix, 0, MS_DIGITS), &ms) != ERR_OK)
        return 0;
    return (int64_t)ms;
}

void shard_id_add(struct buf *out, struct span room, struct span world, int64_t ms, unsigned n)
{
    assert(ms >= 1000000000000 && ms <= 9999999999999 && n <= NUMBER_MAX);
    buf_add_span(out, room);
    buf_add_char(out, ':');
    buf_add_span(out, world);
    buf_add_char(out, ':');
    buf_add_i64(out, ms);
    buf_add_char(out, '-');
    buf_add_u64(out, n);
}

bool world_id_is_valid(struct span id)
{
    struct span prefix = SPAN("world-");
    if (!span_starts(id, prefix) || id.len == prefix.len)
        return false;
    for (size_t i = prefix.len; i < id.len; i++) {
        if (!ascii_is_alnum_or(id.ptr[i], "_-"))
            return false;
    }
    return true;
}
