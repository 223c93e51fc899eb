/* Draining takes its time: what is empty goes at once, the rest when its last client has left. */
#include "world/core/rooms/scale.h"

#include <stdlib.h>

#include "world/core/rooms/shards.h"

bool registry_leave_room(struct registry *r, struct room *room, const struct order_drain *drain,
                         struct moment now)
{
    struct room_settings settings = room->settings;
    uint32_t at = 0, left = room_shards(room);
    struct shard **shards = xreallocarray(NULL, left + 1, sizeof(struct shard *));

    settings.leaving = true;
    registry_set_room(r, room, &settings);
    for (uint32_t i = 0; i < left; i++)
        shards[i] = shard_of_candidate(candidates_next(&room->candidates, &at));
    if (left == 0)
        registry_remove_room(r, room);
    for (uint32_t i = 0, count = left; i < count; i++)
        left -= registry_set_status(r, shards[i], SHARD_DRAINING, drain, now);
    free(shards);
    return left == 0;
}

/* The order in which shards are given up. Slots are creation order, so the order is total. */
static int by_dispensability(const void *left, const void *right)
{
    const struct shard *a = *(struct shard *const *)left;
    const struct shard *b = *(struct shard *const *)right;

    if ((a->status == SHARD_DRAINING) != (b->status == SHARD_DRAINING))
        return a->status == SHARD_DRAINING ? -1 : 1;
    if (shard_used(a) != shard_used(b))
        return shard_used(a) < shard_used(b) ? -1 : 1;
    return a->candidate.slot < b->candidate.slot ? -1 : 1;
}

void registry_scale_down(struct registry *r, struct room *room, uint32_t target,
                         const struct order_drain *drain, struct moment now)
{
    uint32_t count = room_shards(room), at = 0;
    struct shard **shards;

    if (target >= count)
        return;
    shards = xreallocarray(NULL, count, sizeof(struct shard *));
    for (uint32_t i = 0; i < count; i++)
        shards[i] = shard_of_candidate(candidates_next(&room->candidates, &at));
    qsort(shards, count, sizeof(struct shard *), by_dispensability);
    for (uint32_t i = 0; i < count - target; i++) {
        if (shards[i]->status == SHARD_DRAINING)
            (void)registry_let_go(r, shards[i]);
        else
            (void)registry_set_status(r, shards[i], SHARD_DRAINING, drain, now);
    }
    free(shards);
}
