/* The ring of promises. Entries in its middle may have come down to 0; the first never has. */
#include "world/core/rooms/reservations.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"

enum { RING_MIN = 4, RING_KEPT = 16 /* an empty ring that is larger is given back */ };

static struct reservation *entry(const struct reservations *rs, uint32_t i)
{
    return &rs->ring[(rs->first + i) & (rs->cap - 1)];
}

static void grow(struct reservations *rs)
{
    uint32_t cap = rs->cap == 0 ? RING_MIN : rs->cap * 2;
    struct reservation *ring = xreallocarray(NULL, cap, sizeof(*ring));

    for (uint32_t i = 0; i < rs->len; i++)
        ring[i] = *entry(rs, i);
    free(rs->ring);
    rs->ring = ring;
    rs->cap = cap;
    rs->first = 0;
}

/* Drops what has come down to 0 in front. */
static void trim(struct reservations *rs)
{
    while (rs->len > 0 && entry(rs, 0)->count == 0) {
        rs->first = (rs->first + 1) & (rs->cap - 1);
        rs->len--;
    }
    if (rs->len == 0 && rs->cap > RING_KEPT)
        reservations_clear(rs);
}

static struct reservation *find(const struct reservations *rs, int64_t due_ms)
{
    uint32_t low = 0, high = rs->len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (entry(rs, middle)->due_ms < due_ms)
            low = middle + 1;
        else
            high = middle;
    }
    assert(low < rs->len && entry(rs, low)->due_ms == due_ms);
    return entry(rs, low);
}

void reservations_add(struct reservations *rs, int64_t due_ms)
{
    struct reservation *last = rs->len == 0 ? NULL : entry(rs, rs->len - 1);

    assert(last == NULL || last->due_ms <= due_ms);
    rs->total++;
    if (last != NULL && last->due_ms == due_ms) {
        last->count++;
        return;
    }
    if (rs->len == rs->cap)
        grow(rs);
    rs->len++;
    *entry(rs, rs->len - 1) = (struct reservation){.due_ms = due_ms, .count = 1};
}

uint64_t reservations_take_first(struct reservations *rs, uint64_t max, int64_t *due_ms)
{
    struct reservation *first;
    uint64_t count;

    if (rs->len == 0)
        return 0;
    first = entry(rs, 0);
    *due_ms = first->due_ms;
    count = first->count < max ? first->count : max;
    first->count -= count;
    rs->total -= count;
    trim(rs);
    return count;
}

void reservations_take(struct reservations *rs, int64_t due_ms, uint64_t count)
{
    struct reservation *found = find(rs, due_ms);

    assert(found->count >= count);
    found->count -= count;
    rs->total -= count;
    trim(rs);
}

int64_t reservations_due_ms(const struct reservations *rs)
{
    return rs->len == 0 ? INT64_MAX : entry(rs, 0)->due_ms;
}

void reservations_clear(struct reservations *rs)
{
    free(rs->ring);
    *rs = (struct reservations){0};
}

void reservations_check(const struct reservations *rs)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < rs->len; i++) {
        assert(i == 0 || entry(rs, i - 1)->due_ms < entry(rs, i)->due_ms);
        total += entry(rs, i)->count;
    }
    assert(total == rs->total);
    assert(rs->len == 0 || entry(rs, 0)->count > 0);
}
