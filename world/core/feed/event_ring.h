#pragma once
/* The last events of a world, as they were sent, so that a reader who was away can go on where it
 * was. Bounded in number and in bytes; the oldest go first. */
#include "common/base/buf.h"

enum { EVENT_RING_MAX = 1000, EVENT_RING_BYTES = 4 * 1024 * 1024 };

/* The all-zero struct is valid: it keeps nothing until it is opened. */
struct event_ring {
    struct span *texts; /* owned, like each of them; EVENT_RING_MAX places */
    uint32_t first, len;
    size_t bytes;
    uint64_t last_id; /* of the youngest; ids are consecutive */
};

/* Begins to keep events; the first gets id + 1. Nothing happens when it is open. */
void event_ring_open(struct event_ring *r, uint64_t id);
static inline bool event_ring_is_open(const struct event_ring *r)
{
    return r->texts != NULL;
}
/* Copies the text of event last_id + 1. */
void event_ring_add(struct event_ring *r, struct span text);
/* True when everything behind that id is here. */
bool event_ring_reaches(const struct event_ring *r, uint64_t id);
/* Appends the texts of all events behind that id that are here. */
void event_ring_copy(const struct event_ring *r, uint64_t id, struct buf *out);
void event_ring_clear(struct event_ring *r);
