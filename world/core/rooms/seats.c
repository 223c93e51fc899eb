/* Owns what `reserved` and the world's part of `returning` are made of, and the time at which it
 * ends. What a change means to the index is the registry's. */
#include "world/core/rooms/seats.h"

#include <assert.h>

#include "world/core/nodes/nodes.h"
#include "world/core/rooms/shards.h"

static struct registry *registry_of(const struct shard *s)
{
    return s->room->world->registry;
}

/* Long promises share longer steps, so that a ring stays short. */
static int64_t due_of(int64_t ttl_ms, int64_t now)
{
    int64_t share = ttl_ms / SEATS_GRAINS, grain = share > SEATS_GRAIN_MS ? share : SEATS_GRAIN_MS;

    return (now + ttl_ms + grain - 1) / grain * grain;
}

static void fire(struct timer *timer, int64_t now);

/* Sees to it that the timer fires in time. One that is early stays: it finds nothing to do. */
static void arm(struct registry *r, struct shard *s)
{
    struct seats *seats = &s->seats;
    int64_t due_ms = reservations_due_ms(&seats->promised);

    if (seats->kept > 0 && seats->kept_due_ms < due_ms)
        due_ms = seats->kept_due_ms;
    if (due_ms == INT64_MAX) {
        wheel_cancel(&r->wheel, &seats->timer);
        return;
    }
    if (timer_is_set(&seats->timer) && seats->timer.due_ms <= due_ms)
        return;
    seats->timer.fire = fire;
    wheel_set(&r->wheel, &seats->timer, due_ms);
    r->watch.timer_set(r->watch.ctx);
}

static void unkeep(struct shard *s, uint64_t count)
{
    s->seats.kept -= count;
    tally_returning(s, s->returning - count);
}

/* Takes back up to `max` promises that end by `until`; answers how many. */
static uint64_t unpromise(struct shard *s, uint64_t max, int64_t until)
{
    uint64_t taken = 0;

    while (taken < max && reservations_due_ms(&s->seats.promised) <= until) {
        int64_t due_ms = 0;
        uint64_t count = reservations_take_first(&s->seats.promised, max - taken, &due_ms);
        if (count == 0)
            break;
        reservations_take(&s->room->promised, due_ms, count);
        taken += count;
    }
    tally_reserved(s, s->reserved - taken);
    return taken;
}

static void fire(struct timer *timer, int64_t now)
{
    struct shard *s = CONTAINER_OF(timer, struct shard, seats.timer);
    struct registry *r = registry_of(s);

    unpromise(s, UINT64_MAX, now);
    if (s->seats.kept_due_ms <= now)
        unkeep(s, s->seats.kept);
    arm(r, s);
    registry_reindex(r, s);
    registry_let_go(r, s);
}

void seats_reserve(struct registry *r, struct shard *s, struct moment now)
{
    int64_t due_ms;

    if (r->seat_ttl_ms == 0)
        return;
    assert(shard_used(s) < s->max);
    due_ms = due_of(r->seat_ttl_ms, now.mono_ms);
    reservations_add(&s->seats.promised, due_ms);
    reservations_add(&s->room->promised, due_ms);
    tally_reserved(s, s->reserved + 1);
    arm(r, s);
    registry_reindex(r, s);
}

void seats_admit(struct registry *r, struct shard *s, uint64_t fresh, struct moment now)
{
    uint64_t left;

    (void)now;
    if (s->reserved == 0 && s->seats.kept == 0)
        return;
    left = fresh - unpromise(s, fresh, INT64_MAX);
    unkeep(s, left < s->seats.kept ? left : s->seats.kept);
    arm(r, s);
    registry_reindex(r, s);
}

void seats_keep(struct registry *r, struct shard *s, uint64_t count, struct moment now)
{
    if (r->seat_ttl_ms == 0 || count == 0)
        return;
    s->seats.kept += count;
    s->seats.kept_due_ms = now.mono_ms + SEATS_RETURN_MS;
    tally_returning(s, s->returning + count);
    arm(r, s);
    registry_reindex(r, s);
}

void seats_unkeep(struct registry *r, struct shard *s, uint64_t count)
{
    unkeep(s, count < s->seats.kept ? count : s->seats.kept);
    arm(r, s);
    registry_reindex(r, s);
}

void seats_clear(struct registry *r, struct shard *s)
{
    wheel_cancel(&r->wheel, &s->seats.timer);
    unpromise(s, UINT64_MAX, INT64_MAX);
    unkeep(s, s->seats.kept);
    reservations_clear(&s->seats.promised);
}

int64_t seats_due_ms(const struct room *room)
{
    return reservations_due_ms(&room->promised);
}

void seats_check(const struct shard *s)
{
    uint64_t returning = s->seats.kept;

    LIST_EACH (&s->holdings, it) {
        returning += CONTAINER_OF(it, struct holding, in_shard)->returning;
    }
    assert(returning == s->returning);
    assert(s->seats.promised.total == s->reserved);
    reservations_check(&s->seats.promised);
}
