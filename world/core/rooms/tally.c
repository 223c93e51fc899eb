/* One sum per count for a room, one for its world. They wrap as counts do, so what is added and
 * taken away again is gone for certain. */
#include "world/core/rooms/tally.h"

#include <assert.h>

#include "world/core/rooms/registry.h"

enum { CHECK_MAX = 128 }; /* shards, or rooms, that are added up for a check */

void tally_open(struct shard *s, uint64_t to)
{
    struct world *w = s->room->world;

    if (s->open == to)
        return;
    s->room->tally.open += to - s->open;
    w->tally.open += to - s->open;
    w->change++;
    s->open = to;
}

void tally_reserved(struct shard *s, uint64_t to)
{
    struct world *w = s->room->world;

    if (s->reserved == to)
        return;
    s->room->tally.reserved += to - s->reserved;
    w->tally.reserved += to - s->reserved;
    w->change++;
    s->reserved = to;
}

void tally_returning(struct shard *s, uint64_t to)
{
    struct world *w = s->room->world;

    if (s->returning == to)
        return;
    s->room->tally.returning += to - s->returning;
    w->tally.returning += to - s->returning;
    w->change++;
    s->returning = to;
}

void tally_max(struct shard *s, uint64_t to)
{
    struct world *w = s->room->world;

    if (s->max == to)
        return;
    s->room->tally.max += to - s->max;
    w->tally.max += to - s->max;
    w->change++;
    s->max = to;
}

void tally_leave(struct shard *s)
{
    tally_open(s, 0);
    tally_reserved(s, 0);
    tally_returning(s, 0);
    tally_max(s, 0);
}

static void add(struct tally *sum, const struct tally *t)
{
    sum->open += t->open;
    sum->reserved += t->reserved;
    sum->returning += t->returning;
    sum->max += t->max;
}

static void assert_same(const struct tally *a, const struct tally *b)
{
    assert(a->open == b->open);
    assert(a->reserved == b->reserved);
    assert(a->returning == b->returning);
    assert(a->max == b->max);
}

static void check_room(const struct room *room)
{
    struct tally sum = {0};
    struct candidate *c;
    uint32_t at = 0;

    while ((c = candidates_next(&room->candidates, &at)) != NULL) {
        const struct shard *s = shard_of_candidate(c);
        add(&sum, &(struct tally){s->open, s->reserved, s->returning, s->max});
    }
    assert_same(&sum, &room->tally);
}

static void check_world(const struct world *w)
{
    uint64_t by_status[SHARD_STATUS_COUNT] = {0};
    struct tally sum = {0};

    LIST_EACH (&w->room_list, it) {
        const struct room *room = CONTAINER_OF(it, struct room, node);
        add(&sum, &room->tally);
        for (int i = 0; i < SHARD_STATUS_COUNT; i++)
            by_status[i] += room->by_status[i];
    }
    assert_same(&sum, &w->tally);
    for (int i = 0; i < SHARD_STATUS_COUNT; i++)
        assert(by_status[i] == w->by_status[i]);
}

void tally_check(const struct room *room)
{
    if (room_shards(room) <= CHECK_MAX)
        check_room(room);
    if (room->world->rooms.count <= CHECK_MAX)
        check_world(room->world);
}
