/* A ring of texts, by consecutive ids. */
#include "world/core/feed/event_ring.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"

static void drop_oldest(struct event_ring *r)
{
    struct span *oldest = &r->texts[r->first];

    r->bytes -= oldest->len;
    span_free(*oldest);
    *oldest = (struct span){0};
    r->first = (r->first + 1) % EVENT_RING_MAX;
    r->len--;
}

void event_ring_open(struct event_ring *r, uint64_t id)
{
    if (event_ring_is_open(r))
        return;
    r->texts = xcalloc(EVENT_RING_MAX, sizeof(*r->texts));
    r->last_id = id;
}

void event_ring_add(struct event_ring *r, struct span text)
{
    assert(event_ring_is_open(r));
    while (r->len > 0 && (r->len == EVENT_RING_MAX || r->bytes + text.len > EVENT_RING_BYTES))
        drop_oldest(r);
    r->texts[(r->first + r->len) % EVENT_RING_MAX] = span_copy(text);
    r->len++;
    r->bytes += text.len;
    r->last_id++;
}

bool event_ring_reaches(const struct event_ring *r, uint64_t id)
{
    return id <= r->last_id && id >= r->last_id - r->len;
}

void event_ring_copy(const struct event_ring *r, uint64_t id, struct buf *out)
{
    for (uint32_t i = 0; i < r->len; i++) {
        if (r->last_id - r->len + 1 + i > id)
            buf_add_span(out, r->texts[(r->first + i) % EVENT_RING_MAX]);
    }
}

void event_ring_clear(struct event_ring *r)
{
    while (r->len > 0)
        drop_oldest(r);
    free(r->texts);
    *r = (struct event_ring){0};
}
