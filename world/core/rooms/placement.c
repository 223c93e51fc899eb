/* The choice among a room's shards. Costs O(log n) in the room's shards and nothing for other
 * rooms. */
#include "world/core/rooms/placement.h"

#include "common/base/stable_hash.h"
#include "world/core/rooms/shards.h"

/* The next in the ring of selectable shards, in creation order. When the ring has shrunk below the
 * turn it starts anew. */
static struct candidate *next_in_turn(const struct candidates *c, uint32_t *turn)
{
    uint32_t count = candidates_count(c), k = *turn < count ? *turn : 0;

    *turn = (k + 1) % count;
    return candidates_nth(c, k);
}

static struct candidate *any(const struct candidates *c, struct rng *rng)
{
    return candidates_nth(c, (uint32_t)rng_below(rng, candidates_count(c)));
}

/* The power of two choices: of two different random ones the emptier, the older on a tie. */
static struct candidate *emptier_of_two(const struct candidates *c, struct rng *rng)
{
    uint32_t count = candidates_count(c), k, l;
    struct candidate *older, *younger;

    if (count == 1)
        return candidates_nth(c, 0);
    k = (uint32_t)rng_below(rng, count);
    l = (uint32_t)rng_below(rng, count - 1);
    l += l >= k;
    older = candidates_nth(c, k < l ? k : l);
    younger = candidates_nth(c, k < l ? l : k);
    return candidates_is_fuller(c, older, younger) ? younger : older;
}

/* One of the selectable; there is at least one. */
static struct candidate *choose(const struct room *room, struct span session, struct rng *rng,
                                uint32_t *turn)
{
    const struct candidates *c = &room->candidates;

    switch (room->settings.strategy) {
    case STRATEGY_ROUND_ROBIN:
    case STRATEGY_COUNT:
        break;
    case STRATEGY_LEAST_CONNECTIONS:
        return candidates_least(c);
    case STRATEGY_RANDOM:
        return any(c, rng);
    case STRATEGY_PACKED:
        return candidates_fullest(c);
    case STRATEGY_P2C:
        return emptier_of_two(c, rng);
    case STRATEGY_HASH:
        return session.len == 0 ? any(c, rng) : candidates_hashed(c, stable_hash(session));
    }
    return next_in_turn(c, turn);
}

static bool may_grow(const struct room *room, uint64_t max_room_shards)
{
    uint64_t count = room_shards(room), max = room->settings.max_shards;

    if (room->settings.leaving)
        return false;
    if (count == 0)
        return true;
    return count < max_room_shards && (max == 0 || count < max);
}

static enum refusal refusal_of(const struct room *room)
{
    if (room_shards(room) == 0)
        return REFUSAL_NO_SHARDS;
    return room->by_status[SHARD_ACTIVE] > 0 ? REFUSAL_FULL : REFUSAL_NO_ACTIVE;
}

bool placement_grows(const struct room *room, bool auto_create, uint64_t max_room_shards)
{
    return auto_create && candidates_count(&room->candidates) == 0 &&
           may_grow(room, max_room_shards);
}

struct placement placement_find(struct registry *r, struct room *room, struct span session,
                                bool auto_create, uint64_t max_room_shards, struct moment now)
{
    struct shard *shard;

    if (candidates_count(&room->candidates) > 0)
        shard = shard_of_candidate(choose(room, session, r->rng, &room->turn));
    else if (placement_grows(room, auto_create, max_room_shards))
        shard = registry_add_shard(r, room, (struct span){0}, 0, now);
    else
        return (struct placement){.refusal = refusal_of(room)};
    seats_reserve(r, shard, now);
    return (struct placement){.shard = shard};
}

struct placement placement_peek(const struct registry *r, const struct room *room,
                                struct span session)
{
    struct rng rng = *r->rng;
    uint32_t turn = room->turn;

    if (candidates_count(&room->candidates) == 0)
        return (struct placement){.refusal = refusal_of(room)};
    return (struct placement){.shard = shard_of_candidate(choose(room, session, &rng, &turn))};
}
